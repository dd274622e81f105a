"""Any image set -> tensors on the device, with a part of *train* held out to score on.

==========  ===============================================================================
`load`      `load_data`, `ImageData`
`sources`   what `--data` can be; its kinds are `parquet`, `folders`, `hub` and `embedded`
`fractals`  the images that a program makes
`tables`    columns, classes and labels of a table
`decode`    encoded images -> pixels
`cache`     decoded images on the disk
==========  ===============================================================================
"""
