using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Telemetry.Storage.Access;
using Telemetry.Storage.Fleet;

namespace Telemetry.Dashboard.Access;

/// <summary>Who asks.</summary>
/// <param name="Name">The name of the user.</param>
/// <param name="Role">What the user may do.</param>
/// <param name="Limit">What the user may see.</param>
/// <param name="Antiforgery">
/// What a request that changes something must show besides the cookie, as no page of a foreign site can know it; null
/// for a script, whose token no browser adds by itself.
/// </param>
internal sealed record Visitor(string Name, UserRole Role, SiteLimit Limit, string? Antiforgery)
{
    private static readonly object Key = new();

    /// <summary>A short text that is equal for equal limits, for entity tags.</summary>
    public string LimitTag => Limit.IsNone
        ? "all" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Limit.Key)))[..16];

    /// <summary>Whose request it is; the guard has found out before anything else is done.</summary>
    public static Visitor Of(HttpContext context) => (Visitor)context.Items[Key]!;

    /// <summary>Keeps who asks with the request.</summary>
    public void Enter(HttpContext context) => context.Items[Key] = this;
}
