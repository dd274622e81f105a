"""What the command lines of all packages share.

============  ================================================================================
`command`     complaints of one sentence, exit status 2, readers that leave early
`interrupts`  Ctrl-C and SIGTERM, none of them lost
`files`       files written whole or not at all
`words`       amounts, times and sentences as people read them
`tables`      rows of plain values as text, Markdown and JSON
`words`       numbers of things in words
============  ================================================================================
"""
