using Microsoft.AspNetCore.Http;

namespace Telemetry.Dashboard.Access;

/// <summary>
/// The cookie that bears a session: no script reads it, and no other site's page makes a browser send it.
/// </summary>
internal sealed class SessionCookie(DashboardOptions options)
{
    // A name with this beginning is refused by browsers unless the cookie is for this host alone and came over TLS.
    private readonly string _name = options.BehindTls ? "__Host-telemetry-session" : "telemetry-session";

    /// <summary>The secret that a request bears; null for none.</summary>
    public string? Read(HttpRequest request) =>
        request.Cookies[_name] is { Length: SessionSecret.Length } secret ? secret : null;

    public void Write(HttpResponse response, string secret) =>
        response.Cookies.Append(_name, secret, Options(options.Session));

    public void Remove(HttpResponse response) => response.Cookies.Append(_name, "", Options(TimeSpan.Zero));

    private CookieOptions Options(TimeSpan lasts) => new()
    {
        HttpOnly = true,
        Secure = options.BehindTls,
        SameSite = SameSiteMode.Strict,
        Path = "/",
        MaxAge = lasts,
    };
}
