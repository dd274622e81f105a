"""A run, read and never written.

===========  ================================================================================
`load`       `load_run`: opens what a search has written
`run`        `Run`: what it is asked
`candidate`  `Candidate`: a network that was scored, ready to be built
`storage`    opens the study for reading
`objective`  what a network costs: multiply-adds, parameters, activations, latency
`score`      what a run goes by: expected errors or its proxies' top-1
`pareto`     the exact non-dominated set and its hypervolume
`repeats`    networks trained from several seeds; `uncertainty`: the frontier without seed variance
`frame`      trials -> DataFrame; `columns`: what each column is
`trained`    what became of networks that were trained further
`notes`      what has to be said beside every score
`naming`     a network in a few words and numbers
`stages`     a network part by part
===========  ================================================================================
"""
