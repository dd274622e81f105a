"""Networks as exact numbers, and the modules made of them.

=================  ================================================================================
`layers`           shape records and their sum: what is counted is said there
`config`           what every configuration can do; `task`: what images and classes it is for
`family`           all that the program asks of a family, one record; `axis`: what a search may vary
`families`         the families of the project by name; `read`: configurations that were written as JSON
`widths`           what the solvers of all families share
`residual`         residual networks; `residual_shape`: solved, `residual_sizes`: resized,
                   `residual_family`: ResNet, PreResNet, Wide ResNet, ResNeXt, `residual_modules`: as modules
`regnetx`          RegNetX: residual networks by a rule
`dense`            DenseNet, DenseNet-BC; `dense_shape`: solved, `dense_family`: the record, `dense_modules`: as modules
`network`          what all modules have: stages, a head to change, maps of the stages
`build`            configuration -> module
=================  ================================================================================
"""
