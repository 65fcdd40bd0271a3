using System.Security.Cryptography;
using System.Text;

namespace Telemetry.Dashboard.Access;

/// <summary>
/// What a browser or a script shows to be let in: 256 random bits, of which the database has the SHA-256.
/// </summary>
public static class SessionSecret
{
    /// <summary>The length of a secret as text.</summary>
    public const int Length = 64;

    /// <summary>Makes one.</summary>
    public static string Create() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Length / 2));

    /// <summary>What the database has of it.</summary>
    public static byte[] Hash(string secret) => SHA256.HashData(Encoding.ASCII.GetBytes(secret));

    /// <summary>
    /// What a page that has the session shows with each change. It follows from the secret and tells nothing of it.
    /// </summary>
    public static string Antiforgery(string secret) => Convert.ToHexStringLower(
        HMACSHA256.HashData(Encoding.ASCII.GetBytes(secret), "antiforgery"u8));
}
