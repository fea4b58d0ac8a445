"""What the instrument and the scan do to an image: each artefact is one module and one frozen dataclass.

There are four kinds, by where in the chain they act (`kinds`): a `ScanError`
moves the beam, and the truth with it; a `Ground` adds electrons that no column
scatters; a `Texture` adds a random support; a `Response` changes the image
before or after the electrons are counted. `Microscope.artefacts` lists them.
"""
