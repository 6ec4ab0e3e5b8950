"""The web page of a gateway: a file for each group of pages, over what the commands show and do too."""
