"""The ground floor's pages. Doors: each parses, makes one domain call and answers."""
