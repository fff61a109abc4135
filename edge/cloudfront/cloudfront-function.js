// CloudFront Function for the viewer request (runtime cloudfront-js-2.0): what gets past it is small and safe to look at. It renders
// nothing, redirects nothing (`GET /` passes: the 303 is somebody else's) and leaves the query as it is, because what a repeated name
// means differs by page (a filter counts every value, a sort order the first, an option the last) and only the shop's parser knows.
//
// Written for njs 0.7.9: no destructuring, spread, for-of, classes, optional chaining or default parameters. At most 10 kB:
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-functions

// All cookies together. Above it the shop's own are kept and the rest, which other programs under the same domain left, is dropped.
var COOKIE_BYTES_MAX = 4096;

// What the shop sets: the cart, the number on its badge, the chosen locale, whose order may be seen, an operator's session.
var COOKIES_NEEDED = ['bucket', 'cart', 'cart_count', 'locale', 'order_pass', 'staff'];

// Headers that only something behind this function may set. Whoever sends them wants to be taken for a proxy, for another address
// (the classic ways to poison a cache), for another method, or for this shop's own edge. CloudFront names the visitor's address itself.
var HEADERS_DROPPED = ['client-ip', 'forwarded', 'proxy', 'true-client-ip', 'x-client-ip', 'x-cluster-client-ip', 'x-host', 'x-http-host-override',
    'x-http-method', 'x-http-method-override', 'x-method-override', 'x-request-id', 'x-store', 'x-template', 'x-url',
    'x-visitor-country'];
var PREFIXES_DROPPED = ['cf-', 'cloudfront-', 'x-amz-', 'x-amzn-', 'x-edge-', 'x-forwarded-', 'x-original-', 'x-proxy-', 'x-real-', 'x-rewrite-'];
// CloudFront overwrites this one, so it is not a visitor's word, and dropping it would lose it.
var COUNTRY = 'cloudfront-viewer-country';

// The marks of a template's holes, U+E000 to U+E002: as characters, as escapes, and as escapes of escapes to any depth.
var MARK = /[\ue000-\ue002]|%(?:25)*ee%(?:25)*80%(?:25)*8[0-2]/i;
// A slash or backslash that hides from whoever splits the path before decoding it.
var HIDDEN_SLASH = /%(?:25)*(?:2f|5c)/i;
// Neither belongs in an address, and both are read differently by different programs.
var CONTROL_OR_BACKSLASH = /[\x00-\x1f\x7f\\]/;
// Text of a form may well hold an escaped line break; a zero byte ends strings early somewhere.
var BAD_IN_QUERY = /[\x00-\x1f\x7f]|%00/;

function handler(event) {
    var request = event.request;
    if (isHostilePath(request.uri) || isHostileQuery(request.querystring)) {
        return refusal(400, 'Bad Request', 'This address cannot be read.\n');
    }
    dropHeaders(request.headers);
    if (cookieBytes(request.cookies) > COOKIE_BYTES_MAX) {
        request.cookies = neededCookies(request.cookies);
        if (cookieBytes(request.cookies) > COOKIE_BYTES_MAX) {
            return refusal(431, 'Request Header Fields Too Large', 'Your browser sends too many cookies. Delete the cookies of this site and try again.\n');
        }
    }
    return request;
}

// Looks at the path as it came, as it reads, and as it would read for whoever decodes it once too often.
function isHostilePath(path) {
    var once = decoded(path);
    if (once === null || MARK.test(path) || HIDDEN_SLASH.test(path) || isHostileText(once)) {
        return true;
    }
    var twice = decoded(once);
    return twice !== null && isHostileText(twice);
}

function isHostileText(text) {
    if (CONTROL_OR_BACKSLASH.test(text) || MARK.test(text)) {
        return true;
    }
    var segments = text.split('/');
    return segments.indexOf('..') >= 0 || segments.indexOf('.') >= 0;
}

// Bytes that are no UTF-8 do not make a query hostile: old links carry them in parameters that nobody reads, and the parser leaves
// those out. In a path they do, since no page has one.
function isHostileQuery(querystring) {
    return Object.keys(querystring).some(function (name) {
        return isHostileParameter(name) || valuesOf(querystring[name]).some(isHostileParameter);
    });
}

function isHostileParameter(text) {
    return MARK.test(text) || BAD_IN_QUERY.test(text);
}

// null: an escape is cut off, or the bytes are no UTF-8.
function decoded(text) {
    try {
        return decodeURIComponent(text);
    } catch (error) {
        return null;
    }
}

function dropHeaders(headers) {
    Object.keys(headers).forEach(function (name) {
        var isDropped = HEADERS_DROPPED.indexOf(name) >= 0 || PREFIXES_DROPPED.some(function (prefix) {
            return name.indexOf(prefix) === 0;
        });
        if (isDropped && name !== COUNTRY) {
            delete headers[name];
        }
    });
}

// As the Cookie header would be: `name=value; `.
function cookieBytes(cookies) {
    return Object.keys(cookies).reduce(function (bytes, name) {
        return valuesOf(cookies[name]).reduce(function (sum, value) {
            return sum + name.length + value.length + 3;
        }, bytes);
    }, 0);
}

// The first of several with one name is the one that the shop reads, so the others go as well.
function neededCookies(cookies) {
    var kept = {};
    COOKIES_NEEDED.forEach(function (name) {
        if (cookies[name]) {
            kept[name] = { value: valuesOf(cookies[name])[0] };
        }
    });
    return kept;
}

function valuesOf(field) {
    if (!field.multiValue) {
        return [field.value];
    }
    return field.multiValue.map(function (one) {
        return one.value;
    });
}

function refusal(statusCode, statusDescription, text) {
    return {
        statusCode: statusCode,
        statusDescription: statusDescription,
        headers: {
            'cache-control': { value: 'no-store' },
            'content-type': { value: 'text/plain; charset=utf-8' },
            'x-content-type-options': { value: 'nosniff' }
        },
        body: { encoding: 'text', data: text }
    };
}
