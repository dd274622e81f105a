"""What is inside a trained network (Veit et al., arXiv:1605.06431).

========  ================================================================================
`paths`   a residual network as a collection of paths; `paths_report`: on a trained one
`lesion`  a trained network without some of its blocks; `lesion_study`: three networks, `lesion_report`: what came out
========  ================================================================================
"""
