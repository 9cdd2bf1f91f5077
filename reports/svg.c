/* ibakelab: the style of the pictures, and text in XML.
 */
#include "reports/svg.h"
#include "reports/markup.h"

#include "trace/trace.h"
#include <string.h>

/* Colours for light; for dark the same classes again. Blue, amber and red are told apart by the colour-blind,
 * and no picture says by colour alone what its words do not say as well. */
static const char style[] =
    "text{font-family:'DejaVu Sans',Verdana,system-ui,sans-serif;font-size:12px;fill:#1f2933}"
    ".m{font-family:'DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:11px}"
    ".h{font-size:16px;font-weight:bold}.b{font-weight:bold}.d{fill:#616e7c}.s{font-size:11px}"
    ".bg{fill:#fff}.have{fill:#e3f2fd}.box{fill:#f5f7fa;stroke:#9aa5b1}.life{stroke:#cbd2d9}.rule{stroke:#"
    "e4e7eb}"
    ".l{fill:none;stroke:#52606d;stroke-width:1.3}.a{fill:#52606d}"
    ".lost{stroke:#c62828;stroke-dasharray:5 4}.x{fill:none;stroke:#c62828;stroke-width:2}"
    "text.r{fill:#b71c1c}text.n{fill:#7a5200}.note{fill:#fff8e1;stroke:#d9a400}"
    ".attack{fill:#fdecea;stroke:#c62828}"
    ".s0 .l{stroke:#52606d}.s0 .a,.s0.p{fill:#52606d}.s1 .l{stroke:#1565c0}.s1 .a,.s1.p{fill:#1565c0}"
    ".s2 .l{stroke:#9a6700}.s2 .a,.s2.p{fill:#9a6700}.s3 .l{stroke:#c62828}.s3 .a,.s3.p{fill:#c62828}"
    ".t{stroke:#fff;stroke-width:3px;paint-order:stroke}text.w{fill:#fff}.eye{fill:none;stroke:#fff;stroke-"
    "width:1.3}.media{stroke-width:5}.hop "
    ".l.lost{stroke:#c62828}"
    "@media(prefers-color-scheme:dark){"
    "text{fill:#e4e7eb}.d{fill:#9aa5b1}.bg{fill:#12181f}.have{fill:#16324a}.box{fill:#1f2933;stroke:#7b8794}."
    "life{stroke:#"
    "3e4c59}"
    ".rule{stroke:#2a3540}.l{stroke:#9aa5b1}.a{fill:#9aa5b1}.lost{stroke:#ff8a80}.x{stroke:#ff8a80}"
    "text.r{fill:#ff8a80}text.n{fill:#ffd54f}.note{fill:#332b12;stroke:#d9a400}.attack{fill:#3b1716;stroke:#"
    "ff8a80}"
    ".s0 .l{stroke:#9aa5b1}.s0 .a,.s0.p{fill:#9aa5b1}.s1 .l{stroke:#64b5f6}.s1 .a,.s1.p{fill:#64b5f6}"
    ".s2 .l{stroke:#ffca5f}.s2 .a,.s2.p{fill:#ffca5f}.s3 .l{stroke:#ff8a80}.s3 .a,.s3.p{fill:#ff8a80}"
    ".t{stroke:#12181f}text.w{fill:#12181f}.eye{stroke:#12181f}.hop .l.lost{stroke:#ff8a80}}";

void svg_begin(FILE *out, const char *id, unsigned width, unsigned height, const char *title,
               const char *description) {
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\" "
            "role=\"img\" aria-labelledby=\"%s-title %s-desc\">\n<title id=\"%s-title\">",
            width, height, width, height, id, id, id);
    svg_escaped(out, title);
    fprintf(out, "</title>\n<desc id=\"%s-desc\">", id);
    svg_escaped(out, description);
    fprintf(out, "</desc>\n<style>%s</style>\n<rect class=\"bg\" width=\"%u\" height=\"%u\"/>\n", style,
            width, height);
}

void svg_end(FILE *out) {
    fputs("</svg>\n", out);
}

void svg_escaped(FILE *out, const char *text) {
    const unsigned char *p = (const unsigned char *)text;
    for (size_t left = strlen(text), len; left; p += len, left -= len) {
        len = trace_utf8_len(p, left);
        if (len == 0 || (*p < 0x20 && *p != '\n' && *p != '\t')) {
            fputs("\xEF\xBF\xBD", out);
            len = 1;
        } else if (markup_entity(*p)) {
            fputs(markup_entity(*p), out);
        } else {
            fwrite(p, 1, len, out);
        }
    }
}

void svg_text(FILE *out, int x, int y, const char *classes, const char *anchor, const char *text) {
    fprintf(out, "<text x=\"%d\" y=\"%d\"", x, y);
    if (*classes)
        fprintf(out, " class=\"%s\"", classes);
    if (strcmp(anchor, "start") != 0)
        fprintf(out, " text-anchor=\"%s\"", anchor);
    fputc('>', out);
    svg_escaped(out, text);
    fputs("</text>\n", out);
}

/* Verdana and its kin are the widest of the fonts that the style names: 0.65 em on the average. */
unsigned svg_width(const char *text, unsigned font_size, bool monospace) {
    unsigned columns = 0;
    for (; *text; text++)
        columns += (*text & 0xC0) != 0x80;
    return columns * font_size * (monospace ? 62 : 65) / 100;
}
