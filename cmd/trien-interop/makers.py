"""Makes PDFs with producers from PyPI for trien-interop: a JSON object a line in, one out.

Each maker is a function here named in the question; it writes one file. Texts are about invented people. What can be fixed (dates,
identifiers) is, so that a maker gives the same document every time, as far as its library allows.
"""

import datetime
import io
import json
import os
import sys

FONT = sys.argv[1]  # TrueType with all Vietnamese letters
TRUST = sys.argv[2]  # folder with the keys and certificates of this run
LINES = [
    "HỒ SƠ THỬ NGHIỆM – KHÔNG CÓ GIÁ TRỊ",
    "Họ và tên: Nguyễn Thị Mĩ Ngọc (người không có thật)",
    "Chức vụ: Trưởng phòng, Ban Tổ chức Thử nghiệm",
    "Nhận xét: hoàn thành tốt nhiệm vụ; đề nghị phê duyệt.",
]
WHEN = datetime.datetime(2026, 3, 2, 8, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=7)))


def reportlab_canvas(out, **options):
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen import canvas

    pdfmetrics.registerFont(TTFont("Serif", FONT))
    c = canvas.Canvas(out, pagesize=(595, 842), invariant=1, **options)
    c.setFont("Serif", 14)
    for i, line in enumerate(LINES):
        c.drawString(72, 740 - 24 * i, line)
    return c


def reportlab(out):
    c = reportlab_canvas(out)
    c.bookmarkPage("một")
    c.addOutlineEntry("Trang một", "một")
    c.showPage()
    c.showPage()
    c.save()


def reportlab_form(out):
    c = reportlab_canvas(out)
    form = c.acroForm
    form.textfield(name="ho_ten", x=72, y=500, width=300, height=24, value="Nguyen Thi Mi Ngoc")
    form.checkbox(name="dong_y", x=72, y=460, checked=True)
    form.choice(name="loai", x=72, y=420, width=120, height=24, options=["A", "B", "C"], value="B")
    c.save()


def reportlab_encrypted(out):
    from reportlab.lib.pdfencrypt import StandardEncryption

    c = reportlab_canvas(out, encrypt=StandardEncryption("", ownerPassword="chu", strength=128))
    c.save()


def fpdf2_document():
    from fpdf import FPDF

    pdf = FPDF()
    pdf.set_creation_date(WHEN)
    pdf.add_font("Serif", fname=FONT)
    pdf.add_page()
    pdf.set_font("Serif", size=14)
    for line in LINES:
        pdf.cell(text=line, new_x="LMARGIN", new_y="NEXT")
    return pdf


def fpdf2(out):
    pdf = fpdf2_document()
    pdf.start_section("Mục một")
    pdf.add_page()
    pdf.cell(text="Trang hai")
    pdf.output(out)


def fpdf2_attachment(out):
    pdf = fpdf2_document()
    pdf.embed_file(bytes=b"so lieu,2026\n", basename="so-lieu.csv", creation_date=WHEN, modification_date=WHEN)
    pdf.text_annotation(x=20, y=200, text="Ghi chú")
    pdf.output(out)


def scan(mode):
    """A page as a scanner sees it: paper, rules, a stamp."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (1240, 1754), (247, 243, 230))
    draw = ImageDraw.Draw(image)
    for i, line in enumerate(LINES):
        draw.text((150, 220 + 60 * i), line, fill=(20, 20, 60), font=ImageFont.truetype(FONT, 34))
    draw.ellipse((760, 1200, 1060, 1500), outline=(190, 30, 30), width=12)
    return image.convert(mode)


def images(out, mode, form, **save):
    import img2pdf

    b = io.BytesIO()
    scan(mode).save(b, form, dpi=(150, 150), **save)
    with open(out, "wb") as f:
        f.write(img2pdf.convert([b.getvalue()] * 3, creationdate=WHEN, moddate=WHEN))


def img2pdf_jpeg(out):
    images(out, "RGB", "JPEG", quality=70)


def img2pdf_jpeg2000(out):
    images(out, "RGB", "JPEG2000", quality_layers=[40])


def img2pdf_ccitt(out):
    images(out, "1", "TIFF", compression="group4")


def img2pdf_png(out):
    images(out, "L", "PNG")


def pikepdf_new():
    import pikepdf

    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(595, 842))
    pdf.add_blank_page(page_size=(842, 595))
    return pdf


def pikepdf_attachment(out):
    import pikepdf

    pdf = pikepdf_new()
    spec = pikepdf.AttachedFileSpec(pdf, b"so lieu,2026\n", filename="số-liệu.csv", relationship=pikepdf.Name.Data)
    pdf.attachments["số-liệu.csv"] = spec
    with pdf.open_outline() as outline:
        outline.root.append(pikepdf.OutlineItem("Trang một", 0))
    pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)


def pikepdf_xfa(out):
    import pikepdf

    pdf = pikepdf_new()
    xfa = pdf.make_stream(b'<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"/>')
    pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array(), XFA=xfa)
    pdf.save(out, deterministic_id=True)


def pypdf_merged(out, makers=(reportlab_form, reportlab)):
    from pypdf import PdfReader, PdfWriter

    w = PdfWriter()
    for maker in makers:
        b = io.BytesIO()
        maker(b)
        w.append(PdfReader(b))
    w.add_outline_item(title="Trang hai", page_number=1)
    w.add_attachment("ghi-chu.txt", "ghi chú".encode())
    w.update_page_form_field_values(w.pages[0], {"ho_ten": "Tran Van Thu"})
    w.write(out)


def pypdf_twice(out):
    """The same form twice: two fields of each name."""
    pypdf_merged(out, (reportlab_form, reportlab_form))


def weasyprint_html(out, variant):
    import weasyprint

    body = "".join(f"<p>{line}</p>" for line in LINES)
    form = '<form><label>Họ tên <input name="ho_ten" value="Ngọc"></label></form>' if variant == "form" else ""
    html = f'<html lang="vi"><head><title>Hồ sơ</title></head><body><h1>Hồ sơ</h1>{body}{form}<h2>Phụ lục</h2></body></html>'
    if variant == "form":
        weasyprint.HTML(string=html).write_pdf(out, pdf_forms=True)
    else:
        weasyprint.HTML(string=html).write_pdf(out, pdf_variant=variant)


def weasyprint_a3b(out):
    weasyprint_html(out, "pdf/a-3b")


def weasyprint_ua(out):
    weasyprint_html(out, "pdf/ua-1")


def weasyprint_form(out):
    weasyprint_html(out, "form")


def typst_source(out, **options):
    import typst

    text = '#set document(title: "Hồ sơ", date: datetime(year: 2026, month: 3, day: 2))\n#set text(lang: "vi")\n= Hồ sơ\n'
    text += "\n\n".join(LINES) + "\n#pagebreak()\n== Phụ lục\n"
    path = os.path.join(os.path.dirname(out), "source.typ")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    typst.compile(path, output=out, format="pdf", **options)


def typst_plain(out):
    typst_source(out)


def typst_a2b(out):
    typst_source(out, pdf_standards="a-2b")


def typst_20(out):
    typst_source(out, pdf_standards="2.0")


def hanko_sign(out, base, stamps="", who="another", **metadata):
    """Signs base with pyHanko."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import PdfSignatureMetadata, SimpleSigner, sign_pdf
    from pyhanko.sign.fields import SigSeedSubFilter
    from pyhanko.sign.timestamps import HTTPTimeStamper
    from pyhanko_certvalidator import ValidationContext

    signer = SimpleSigner.load(*(os.path.join(TRUST, who + e) for e in (".key", ".pem")), ca_chain_files=[os.path.join(TRUST, "issuers.pem")])
    if metadata.get("embed_validation_info"):
        from pyhanko.keys import load_certs_from_pemder

        roots = list(load_certs_from_pemder([os.path.join(TRUST, "root.pem")]))
        # On a busy machine an answer can be younger than the context by more than the second that is the default.
        metadata["validation_context"] = ValidationContext(trust_roots=roots, allow_fetching=True, time_tolerance=datetime.timedelta(minutes=1))
    meta = PdfSignatureMetadata(field_name="TruocDo", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, **metadata)
    with open(base, "rb") as f, open(out, "wb") as o:
        sign_pdf(IncrementalPdfFileWriter(f), meta, signer=signer, timestamper=HTTPTimeStamper(stamps) if stamps else None, output=o)


def hanko(out, base, who="another"):
    hanko_sign(out, base, who=who)


def hanko_lta(out, base, stamps):
    hanko_sign(out, base, stamps, embed_validation_info=True, use_pades_lta=True)


def hanko_certified(out, base, permission):
    from pyhanko.sign.fields import MDPPerm

    hanko_sign(out, base, certify=True, docmdp_permissions=MDPPerm(permission))


def hanko_fields(out, base):
    """Two empty signature fields: one that can be seen, one that cannot."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.fields import SigFieldSpec, append_signature_field

    with open(base, "rb") as f, open(out, "wb") as o:
        w = IncrementalPdfFileWriter(f)
        append_signature_field(w, SigFieldSpec("NguoiKy", box=(60, 60, 260, 140)))
        append_signature_field(w, SigFieldSpec("ConDau"))
        w.write(o)


def main():
    for line in sys.stdin:
        question = json.loads(line)
        try:
            globals()[question["maker"]](question["out"], **question.get("args") or {})
            answer = {}
        except Exception as e:
            answer = {"problem": f"{type(e).__name__}: {e}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
