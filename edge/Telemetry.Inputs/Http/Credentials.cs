using System.Text;
using Microsoft.AspNetCore.Http;

namespace Telemetry.Inputs.Http;

/// <summary>
/// Finds out who sends a request; see <see cref="AccessTokens"/> for the forms that a credential may have.
/// </summary>
internal static class Credentials
{
    /// <summary>The sender's name, empty where nobody is asked; null: he may not write.</summary>
    public static string? NameOf(HttpRequest request, AccessTokens tokens)
    {
        if (tokens.IsEmpty)
        {
            return "";
        }

        var header = request.Headers.Authorization.ToString();
        if (header.Length == 0)
        {
            var query = request.Query;
            return query.TryGetValue("p", out var password)
                ? tokens.Find(query["u"].ToString(), password.ToString()) : null;
        }

        var space = header.IndexOf(' ', StringComparison.Ordinal);
        var scheme = space < 0 ? header : header[..space];
        var value = space < 0 ? "" : header[(space + 1)..].Trim();
        return scheme.ToUpperInvariant() switch
        {
            "TOKEN" => tokens.Find(null, value) ?? OfPair(tokens, value),
            "BEARER" => tokens.Find(null, value),
            "BASIC" => OfPair(tokens, Decode(value)),
            _ => null,
        };
    }

    private static string? OfPair(AccessTokens tokens, string pair)
    {
        var colon = pair.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? null : tokens.Find(pair[..colon], pair[(colon + 1)..]);
    }

    private static string Decode(string base64)
    {
        var bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out var length)
            ? Encoding.UTF8.GetString(bytes, 0, length) : "";
    }
}
