"""gen.py ROWS FILE: the same rows each time."""
import random
import sys

CATEGORIES = ["toys", "books", "garden", "food", "sport", "office", "music", "health"]
NAMES = ["Alpha", "Bravo", "Charlie", "Delta", "Echo"]
rows = int(sys.argv[1])
r = random.Random(42)
with open(sys.argv[2], "w") as out:
    out.write("id,sku,name,category,price,stock,updated_at\n")
    for i in range(1, rows + 1):
        name = "Product %s %d" % (r.choice(NAMES), r.randrange(10**6))
        if i % 50 == 0:
            name = '"%s, ""special"""' % name
        fields = (i, i * 7919 % 10**10, name, r.choice(CATEGORIES), r.randrange(1, 500), r.randrange(100), r.randrange(0, 1000))
        time = (r.randrange(1, 13), r.randrange(1, 29), r.randrange(24), r.randrange(60), r.randrange(60))
        out.write("%d,SKU-%010d,%s,%s,%d.%02d,%d,2026-%02d-%02dT%02d:%02d:%02dZ\n" % (fields + time))
