"""JPEG frames that only GDCM can decode: lossless ones, and lossy ones of 12 bits.

GDCM ends the process when something is not as it expects. So it gets to see nothing but the code stream,
after a look at its header; what the object says of its pixels is applied to the outcome.
"""

import gdcm

from pacs.errors import CannotRender
from pacs.pixels.codestream import StreamSize, has_clean_jpeg_header
from pacs.pixels.pixel_form import PixelForm


def unpack_with_gdcm(form: PixelForm, frame: bytes, size: StreamSize) -> bytes:
    """The native little endian bytes of a JPEG frame; colour lies pixel after pixel, and is not converted.

    For lossy frames GDCM tries its 8-bit decoder first and notes that on standard error; it means nothing.
    Raises CannotRender when the frame is damaged or does not fit the header.
    """
    fits = form.bits_allocated in (8, 16) and 2 <= size.precision <= form.bits_allocated
    if not fits or not has_clean_jpeg_header(frame):
        raise CannotRender("The header of the JPEG frame is damaged, or does not fit that of the object.")
    decoded = _image(form, frame).GetBuffer()
    # GDCM hands bytes over as text, with a lone surrogate for each byte that is no UTF-8.
    native = decoded.encode("utf-8", "surrogateescape") if isinstance(decoded, str) else b""
    if len(native) != form.frame_bytes:
        raise CannotRender("The JPEG frame is damaged.")
    return native


def _image(form: PixelForm, frame: bytes) -> gdcm.Image:
    colours = gdcm.PhotometricInterpretation.GetPIType("RGB" if form.samples == 3 else "MONOCHROME2")
    syntax = gdcm.TransferSyntax.GetTSType(str(form.transfer_syntax))
    bits = form.bits_allocated
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((form.columns, form.rows, 1))
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(colours))
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    image.SetPixelFormat(gdcm.PixelFormat(form.samples, bits, bits, bits - 1, 0))
    image.SetDataElement(_pixel_data(frame))
    return image


def _pixel_data(frame: bytes) -> gdcm.DataElement:
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    return element
