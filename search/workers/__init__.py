"""Where networks are measured.

==============  ================================================================================
`evaluation`    what is measured of one network
`executor`      in this process
`ray_executor`  on Ray's workers; `ray_connection`: a Ray of our own, or a cluster
==============  ================================================================================
"""
