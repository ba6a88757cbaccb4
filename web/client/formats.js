// Names the format of a file that the browser could not read. Loaded when that happens.

const SEARCHED = 1 << 20; // bytes at each end of a file that are searched for the name of a codec

/** @type {[RegExp, string][]} first bytes, and the name of the format */
const FORMATS = [
  [/^.{4}ftyp(hei|hev|mif1|msf1)/s, 'HEIC'],
  [/^.{4}ftypavi[fs]/s, 'AVIF'],
  [/^\xff\xd8\xff/, 'JPEG'],
  [/^\x89PNG/, 'PNG'],
  [/^GIF8/, 'GIF'],
  [/^RIFF.{4}WEBP/s, 'WebP'],
  [/^(II\*\0|MM\0\*)/, 'TIFF'],
  [/^(\0\0\0\x0cJXL |\xff\x0a)/, 'JPEG XL'],
  [/^\0\0\0\x0cjP /, 'JPEG 2000'],
  [/^8BPS/, 'Photoshop'],
  [/^\s*(<\?xml|<svg)/, 'SVG'],
  [/^%PDF/, 'PDF'],
  [/^RIFF.{4}AVI /s, 'AVI'],
  [/^\x30\x26\xb2\x75/, 'WMV'],
  [/^FLV/, 'FLV'],
  [/^(\0\0\x01[\xb3\xba]|G.{187}G)/s, 'MPEG'],
];

/**
 * @type {[RegExp, string][]} codecs by their names in Matroska, and in MP4 and MOV: there behind the head of the box
 * "stsd" (ISO/IEC 14496-12, section 8.5.2), so that no four bytes of a picture are taken for one
 */
const CODECS = [
  [/stsd.{12}(hvc1|hev1|dvh1|dvhe)|V_MPEGH/s, 'HEVC (H.265)'],
  [/stsd.{12}(apc[hnso]|ap4[hx])|V_PRORES/s, 'ProRes'],
  [/stsd.{12}AVd[nh]/s, 'DNxHD'],
  [/stsd.{12}mp4v|V_MPEG4\/ISO\/ASP/s, 'MPEG-4 Part 2'],
];

/**
 * @param {Blob} file
 * @returns {Promise<string>} the format and the file's name; empty if the file is neither a picture nor a video
 */
export async function formatOf(file) {
  const begin = await text(file.slice(0, SEARCHED));
  let format = FORMATS.find(([magic]) => magic.test(begin))?.[1] ?? '';
  if (!format && /^(.{4}(ftyp|moov|mdat|wide)|\x1a\x45\xdf\xa3)/s.test(begin)) {
    const both = begin + await text(file.slice(-SEARCHED)); // the codecs stand at either end
    format = CODECS.find(([name]) => name.test(both))?.[1] ?? (begin[0] === '\x1a' ? 'Matroska' : 'MP4');
  }
  return format && [format, /** @type {File} */ (file).name].filter((s) => s).join(' · ');
}

/** The bytes as a text of one character each. @param {Blob} part */
async function text(part) {
  return new TextDecoder('latin1').decode(await part.arrayBuffer());
}
