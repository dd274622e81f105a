"""Training: proxies, and networks to the end of a recipe.

==============  ==============================================================================
`recipe`        `Recipe`; `presets`: those with a name
`proxy`         `train_proxy`: a network and a recipe -> `ProxyScore` (`score`)
`full`          one network to the end of a recipe, with checkpoints
`whole`         that it is the network itself, and what its files say; `provenance`: the run that it comes from
`trainer`       the one training loop; `augment`: its batches
`device`        device, precision, threads, and what the device can do at most
`small_layers`  layers of proxies on a CPU
`memory`        what was taken, and what is too much
==============  ==============================================================================
"""
