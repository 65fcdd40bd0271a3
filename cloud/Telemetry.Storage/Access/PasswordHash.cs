using System.Security.Cryptography;
using System.Text;

namespace Telemetry.Storage.Access;

/// <summary>A password as it is kept: PBKDF2 with SHA-256.</summary>
/// <param name="Salt">Random for each password.</param>
/// <param name="Rounds">The rounds that it was made with.</param>
/// <param name="Hash">The result.</param>
public sealed record PasswordHash(byte[] Salt, int Rounds, byte[] Hash)
{
    /// <summary>The rounds of new passwords: about a tenth to a third of a second of a core.</summary>
    public const int RoundsOfNew = 600_000;

    private const int SaltBytes = 16, HashBytes = 32;

    /// <summary>
    /// Of a password that nobody has: checked for unknown users, so that they take as long as known ones.
    /// </summary>
    public static readonly PasswordHash Nobody =
        new(RandomNumberGenerator.GetBytes(SaltBytes), RoundsOfNew, RandomNumberGenerator.GetBytes(HashBytes));

    public static PasswordHash Of(string password, int rounds = RoundsOfNew)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        return new PasswordHash(salt, rounds, Derive(password, salt, rounds));
    }

    /// <summary>True when this is the password. Takes as long for a wrong one.</summary>
    public bool Is(string password) =>
        CryptographicOperations.FixedTimeEquals(Derive(password, Salt, Rounds), Hash);

    private static byte[] Derive(string password, byte[] salt, int rounds) => Rfc2898DeriveBytes.Pbkdf2(
        Encoding.UTF8.GetBytes(password), salt, rounds, HashAlgorithmName.SHA256, HashBytes);
}
