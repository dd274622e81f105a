"""What can be measured of a network without training it.

===========  ================================================================================
`counts`     exact counts at a target: multiply-adds, parameters, activations, depth
`counting`   ptflops and torch as independent checks of `space.cost`
`latency`    time and memory of inference
`zero_cost`  scores of untrained networks; `untrained`: on plain modules
===========  ================================================================================
"""
