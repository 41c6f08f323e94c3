"""Prints what an extra of a wheel requires, a line each, without the marker that names it. Arguments: wheel, extra."""

import sys
import zipfile

wheel, extra = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    name = next(one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
    for line in archive.read(name).decode().splitlines():
        what, _, marker = line.removeprefix("Requires-Dist:").partition(";")
        if line.startswith("Requires-Dist:") and extra in marker:
            print(what.strip().replace(" ", "").replace("(", "").replace(")", ""))
