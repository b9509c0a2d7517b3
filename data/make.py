"""Makes the embedded data from its sources (Python's standard library only). Run from the repository root:

    python3 data/make.py FULL_FASHION_MNIST_DIR SCIKIT_LEARN_DATASETS_DATA_DIR

The first folder holds the four IDX files of Fashion-MNIST, the second wine_data.csv and breast_cancer.csv as
scikit-learn ships them. Writes data/fashion-mnist, data/tabular and data/SHA256SUMS.
"""
import gzip, hashlib, pathlib, struct, sys

IMAGES_PER_CLASS = 1000
here = pathlib.Path(__file__).parent
full, tables = map(pathlib.Path, sys.argv[1:3])


def read(name):
    return gzip.decompress((full / name).read_bytes())


def write(path, raw, pack):
    data = gzip.compress(raw, 9, mtime=0) if pack else raw
    (here / path).write_bytes(data)


images, labels = read("train-images-idx3-ubyte.gz")[16:], read("train-labels-idx1-ubyte.gz")[8:]
seen, kept = [0] * 10, []
for i, label in enumerate(labels):  # the first thousand of each class, in the original order
    if seen[label] < IMAGES_PER_CLASS:
        seen[label] += 1
        kept.append(i)
pixels = b"".join(images[i * 784 : (i + 1) * 784] for i in kept)
write("fashion-mnist/train-images-idx3-ubyte.gz", struct.pack(">IIII", 2051, len(kept), 28, 28) + pixels, True)
write("fashion-mnist/train-labels-idx1-ubyte.gz", struct.pack(">II", 2049, len(kept)) + bytes(labels[i] for i in kept), True)
for name in ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"):
    write(f"fashion-mnist/{name}", read(name), True)

WINE = "alcohol malic_acid ash alcalinity_of_ash magnesium total_phenols flavanoids nonflavanoid_phenols proanthocyanins color_intensity hue od280_od315 proline"
CELLS = "radius texture perimeter area smoothness compactness concavity concave_points symmetry fractal_dimension"
cancer = [f"{kind}_{cell}" for kind in ("mean", "error", "worst") for cell in CELLS.split()]
for source, target, names in (("wine_data.csv", "wine.csv", WINE.split()), ("breast_cancer.csv", "breast_cancer.csv", cancer)):
    rows = (tables / source).read_text().splitlines()[1:]  # the first line counts rows and columns
    assert all(len(row.split(",")) == len(names) + 1 for row in rows)
    write(f"tabular/{target}", ("\n".join([",".join(names + ["class"]), *rows]) + "\n").encode(), False)

sums = [f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(here).as_posix()}" for p in sorted(here.glob("*/*")) if p.suffix in (".gz", ".csv")]
(here / "SHA256SUMS").write_text("\n".join(sums) + "\n")
