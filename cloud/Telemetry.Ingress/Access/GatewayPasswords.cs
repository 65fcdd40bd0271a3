using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Telemetry.Model.Identity;

namespace Telemetry.Ingress.Access;

/// <summary>
/// The gateways that may connect by password, from a file of lines <c>gateway:salt:hash</c> (salt and hash in base64,
/// PBKDF2 with SHA-256), or in development <c>gateway:password</c>. Empty lines and lines that begin with # are
/// skipped. May be used on any thread.
/// </summary>
public sealed class GatewayPasswords
{
    /// <summary>
    /// The rounds of PBKDF2: 30 to 50 ms of a core, needed once for each gateway, process and version of its line.
    /// </summary>
    public const int Rounds = 100_000;

    private const int SaltBytes = 16, HashBytes = 32;

    private readonly Dictionary<string, (byte[] Salt, byte[] Hash)> _hashed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, byte[]> _plain = new(StringComparer.Ordinal);

    // Passwords that were right, as hashes under a key of this process, so that a fleet that reconnects at once needs
    // no rounds. Bounded by the file's lines; an entry is removed when the gateway's line changes.
    private readonly ConcurrentDictionary<string, byte[]> _verified = new(StringComparer.Ordinal);
    private readonly byte[] _processKey;

    private GatewayPasswords(byte[] processKey) => _processKey = processKey;

    /// <summary>The number of gateways in the file.</summary>
    public int Count => _hashed.Count + _plain.Count;

    /// <summary>Reads lines; throws <see cref="FormatException"/> that names the line.</summary>
    /// <param name="lines">The file's lines.</param>
    /// <param name="plain">True only in development: passwords are in the file as plain text.</param>
    /// <param name="before">The previous version of the file: passwords that were right are still remembered if the
    /// gateway's line is the same, so that one more gateway does not require checks for the whole fleet.</param>
    public static GatewayPasswords Read(IEnumerable<string> lines, bool plain, GatewayPasswords? before = null)
    {
        var passwords = new GatewayPasswords(before?._processKey ?? RandomNumberGenerator.GetBytes(32));
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            if (line.Length > 0 && line[0] != '#')
            {
                passwords.Add(line, number, plain);
            }
        }

        passwords.TakeOver(before);
        return passwords;
    }

    /// <summary>The line of the file for a gateway and its password.</summary>
    public static string Line(GatewayId gateway, ReadOnlySpan<byte> password)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        return $"{gateway}:{Convert.ToBase64String(salt)}:{Convert.ToBase64String(Hash(password, salt))}";
    }

    /// <summary>True when the file has a line for the gateway.</summary>
    public bool Has(GatewayId gateway) => _hashed.ContainsKey(gateway.Value) || _plain.ContainsKey(gateway.Value);

    /// <summary>
    /// True when this is known to be the gateway's password without a check: it was right before, or is in the file as
    /// plain text. Takes microseconds.
    /// </summary>
    public bool IsRemembered(GatewayId gateway, ReadOnlySpan<byte> password) =>
        _plain.TryGetValue(gateway.Value, out var expected)
            ? CryptographicOperations.FixedTimeEquals(password, expected)
            : _verified.TryGetValue(gateway.Value, out var verified)
                && CryptographicOperations.FixedTimeEquals(Fingerprint(password), verified);

    /// <summary>
    /// True when this is the gateway's password. An unknown gateway takes as long as a known one; right passwords are
    /// remembered.
    /// </summary>
    public bool Verify(GatewayId gateway, ReadOnlySpan<byte> password)
    {
        if (IsRemembered(gateway, password))
        {
            return true;
        }

        var known = _hashed.TryGetValue(gateway.Value, out var line);
        var same = CryptographicOperations.FixedTimeEquals(
            Hash(password, known ? line.Salt : _processKey.AsSpan(0, SaltBytes)), known ? line.Hash : _processKey);
        if (known && same)
        {
            _verified[gateway.Value] = Fingerprint(password);
        }

        return known && same;
    }

    private void TakeOver(GatewayPasswords? before)
    {
        foreach (var (gateway, fingerprint) in before?._verified ?? [])
        {
            if (_hashed.TryGetValue(gateway, out var line) && before!._hashed.TryGetValue(gateway, out var old)
                && line.Salt.AsSpan().SequenceEqual(old.Salt) && line.Hash.AsSpan().SequenceEqual(old.Hash))
            {
                _verified[gateway] = fingerprint;
            }
        }
    }

    private byte[] Fingerprint(ReadOnlySpan<byte> password) => HMACSHA256.HashData(_processKey, password);

    private void Add(string line, int number, bool plain)
    {
        var parts = line.Split(':', plain ? 2 : 3);
        if (parts.Length != (plain ? 2 : 3) || !GatewayId.TryParse(parts[0], out var gateway))
        {
            throw new FormatException(
                $"line {number} is not of the form {(plain ? "gateway:password" : "gateway:salt:hash")}");
        }

        var added = plain
            ? _plain.TryAdd(gateway.Value, Encoding.UTF8.GetBytes(parts[1]))
            : _hashed.TryAdd(
                gateway.Value,
                (Base64("salt", parts[1], SaltBytes, number), Base64("hash", parts[2], HashBytes, number)));
        if (!added)
        {
            throw new FormatException($"line {number} names {gateway} a second time");
        }
    }

    private static byte[] Base64(string what, string text, int bytes, int number)
    {
        var value = new byte[bytes];
        return Convert.TryFromBase64String(text, value, out var written) && written == bytes
            ? value
            : throw new FormatException($"line {number}: the {what} is not {bytes} bytes in base64");
    }

    private static byte[] Hash(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, Rounds, HashAlgorithmName.SHA256, HashBytes);
}
