"""The commands of `python -m results`, a file each.

===========  ================================================================================
`show`       the table of a run; `filters`: some of its rows
`compare`    several runs
`export`     a network to take away
`published`  the picture of what the papers report
`block`      the picture of a block
===========  ================================================================================
"""
