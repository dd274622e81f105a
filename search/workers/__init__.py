"""Where networks are measured.

==================  ============================================================================
`evaluation`        what is measured of one network
`executor`          in this process
`several`           what executors with several workers share: a worker that is lost is replaced
`process_executor`  by processes of this machine; `packed`: they share the images
`ray_executor`      by the machines of a Ray cluster; `ray_connection`: how it is joined
`how_many`          the workers that pay on this machine
==================  ============================================================================
"""
