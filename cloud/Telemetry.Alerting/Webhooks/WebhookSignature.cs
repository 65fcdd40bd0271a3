using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Telemetry.Alerting.Webhooks;

/// <summary>
/// The signature of a request: HMAC-SHA256 over the time, a dot and the body, by each secret. The time is signed so
/// that a request that was recorded cannot be sent again later.
/// </summary>
public static class WebhookSignature
{
    /// <summary>The header with the time, in seconds since 1970.</summary>
    public const string TimeHeader = "Telemetry-Timestamp";

    /// <summary>The header with the signatures: <c>v1=</c> and hex digits, separated by commas.</summary>
    public const string Header = "Telemetry-Signature";

    /// <summary>The value of <see cref="Header"/>.</summary>
    public static string Of(IEnumerable<byte[]> secrets, long unixSeconds, ReadOnlySpan<byte> body)
    {
        var time = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{unixSeconds}."));
        byte[] signed = [.. time, .. body];
        return string.Join(',', secrets.Select(s => $"v1={Convert.ToHexStringLower(HMACSHA256.HashData(s, signed))}"));
    }
}
