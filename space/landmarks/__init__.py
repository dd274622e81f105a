"""Published networks, and networks that the user knows the figures of.

==========  ================================================================================
`networks`  their configurations, and the way to a landmark by its name
`figures`   published errors with settings and sources
`own`       the user's own, from a JSON or CSV file
==========  ================================================================================
"""
