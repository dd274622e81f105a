"""From a shape and a cost to the configuration that costs it, and from one network to others.

============  ================================================================================
`axes`        the axes that a search may vary, and the way back from a network to them
`solve`       shape + target cost -> the configuration that costs it
`resize`      a network in other widths, of another depth or cardinality, its proportions kept
`vary`        one network with one or two axes set, the rest solved: the settings of a sweep
`neighbours`  one step from a network to a similar one
`directions`  one network with more spent in one direction at a time
`sweeps`      what a sweep is: the two kinds of listed networks, as frozen types
============  ================================================================================
"""
