"""Extracts the files of a wheel whose path begins with one of the prefixes. Arguments: wheel, target, prefix…"""

import sys
import zipfile

wheel, target, *prefixes = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(target, [name for name in archive.namelist() if name.startswith(tuple(prefixes))])
