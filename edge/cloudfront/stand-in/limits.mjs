// CloudFront's and Lambda@Edge's limits, each with the page of AWS that states it.

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html
// #RequestCustomMaxRequestStringLength: path, query and headers of a request; above it 413, and the connection is closed. There is no
// limit for cookies alone: they count as a header.
export const REQUEST_BYTES_MAX = 20_480;
// The same place: the URL that CloudFront makes from the request.
export const URL_BYTES_MAX = 8_192;
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-general: an origin's answer without
// its body.
export const RESPONSE_HEAD_BYTES_MAX = 20_480;

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-functions
export const VIEWER_FUNCTION_BYTES_MAX = 10_240;
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-function-restrictions.html: CPU time is measured as a share of
// an allowance that is not told. This is the wall's time on a machine that does other things, too, and only ends a function that never would.
export const VIEWER_FUNCTION_MS_MAX = 5_000;
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html#function-restrictions-uri
export const FUNCTION_URI_BYTES_MAX = 8_192;

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-lambda-at-edge: for origin events,
// "1 MB including headers and body". Whether 10^6 or 2^20 is not said: the smaller refuses what either would.
export const GENERATED_BYTES_MAX = 1_000_000;
// The same place: how long a function for origin events may run.
export const FUNCTION_TIMEOUT_S = 30;

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesOrigin.html#origin-connection-attempts
export const CONNECTION_ATTEMPTS = 3;
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesOrigin.html#origin-connection-timeout
export const CONNECTION_TIMEOUT_S = 10;
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesOrigin.html#DownloadDistValuesOriginResponseTimeout:
// until the answer begins, and again from packet to packet.
export const RESPONSE_TIMEOUT_S = 30;
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesOrigin.html#DownloadDistValuesOriginKeepaliveTimeout
export const KEEP_ALIVE_S = 5;

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/high_availability_origin_failover.html: the methods that fail over;
// the statuses are the ones that the distribution lists.
export const FAIL_OVER_METHODS = ['GET', 'HEAD', 'OPTIONS'];
export const FAIL_OVER_STATUSES = [500, 502, 503, 504];

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html#RequestCustomHTTPMethods
export const METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html: how long an answer is kept that does not say.
export const DEFAULT_TTL_S = 86_400;

// The stand-in's own: what it keeps of assets in memory, all together and of one file.
export const CACHE_BYTES_MAX = 256 * 1024 * 1024;
export const CACHED_FILE_BYTES_MAX = 16 * 1024 * 1024;
