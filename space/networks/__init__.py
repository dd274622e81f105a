"""Networks as exact numbers, and the modules made of them.

=============  ================================================================================
`layers`       shape records and their sum: what is counted is said there
`config`       what every configuration can do; `task`: what images and classes it is for
`residual`     ResNet, pre-activation ResNet, Wide ResNet, ResNeXt, RegNetX; `residual_modules`: as modules
`dense`        DenseNet, DenseNet-BC; `dense_modules`: as modules
`regnet_rule`  RegNetX's widths and depths from the five numbers of its rule
`network`      what all modules have: stages, a head to change, maps of the stages
`build`        configuration -> module
=============  ================================================================================
"""
