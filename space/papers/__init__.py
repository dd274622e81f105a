"""What the papers print, computed.

===============  ================================================================================
`tables`         the papers' tables; `rows`, `resnet` and `outline` are their parts
`printed_costs`  costs as the papers print them
`blocks`         one block beside its unrolled alternatives; `block_table`: as a table
`layer_table`    a network layer by layer
===============  ================================================================================
"""
