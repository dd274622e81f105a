"""What can be measured of a network without training it.

===========  ================================================================================
`counting`   ptflops and torch as independent checks of `space.cost`
`latency`    time and memory of inference
`zero_cost`  scores of untrained networks; `untrained`: on plain modules
===========  ================================================================================
"""
