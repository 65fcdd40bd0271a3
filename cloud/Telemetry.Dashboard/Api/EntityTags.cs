using Microsoft.AspNetCore.Http;

namespace Telemetry.Dashboard.Api;

/// <summary>ETag and If-None-Match (RFC 9110, 8.8.3 and 13.1.2).</summary>
internal static class EntityTags
{
    /// <summary>
    /// Sets the tag. True when the client has what it stands for: then the answer is 304 and has no content.
    /// </summary>
    public static bool AnswerUnchanged(HttpContext context, string tag)
    {
        context.Response.Headers.ETag = tag;
        var known = context.Request.Headers.IfNoneMatch.SelectMany(value => value!.Split(','))
            .Any(value => Bare(value.Trim()) is var one && (one == "*" || one == Bare(tag)));
        if (known)
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
        }

        return known;
    }

    // Compared weakly, as RFC 9110 wants it for If-None-Match.
    private static string Bare(string tag) => tag.StartsWith("W/", StringComparison.Ordinal) ? tag[2..] : tag;
}
