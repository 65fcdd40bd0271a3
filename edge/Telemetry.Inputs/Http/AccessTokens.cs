using System.Security.Cryptography;
using System.Text;

namespace Telemetry.Inputs.Http;

/// <summary>
/// Who may write: names and their tokens. Only hashes of them are kept, and looking one up takes the same time whatever
/// was sent. A credential is a token alone (<c>Authorization: Token …</c>, <c>Bearer …</c>) or a name with its token
/// (<c>Basic</c>, <c>u</c> and <c>p</c> of a query, <c>Token NAME:TOKEN</c>).
/// </summary>
public sealed class AccessTokens
{
    /// <summary>Nobody is asked.</summary>
    public static readonly AccessTokens None = new([]);

    private readonly List<(string Name, byte[] Token)> _tokens;

    private AccessTokens(List<(string, byte[])> tokens) => _tokens = tokens;

    /// <summary>True: everybody may write.</summary>
    public bool IsEmpty => _tokens.Count == 0;

    /// <summary>Of pairs of a name and its token.</summary>
    public static AccessTokens Of(params (string Name, string Token)[] tokens) =>
        new([.. tokens.Select(t => (t.Name, Hash(t.Token)))]);

    /// <summary>Whose token it is; null: nobody's. <paramref name="name"/> null: any name may have it.</summary>
    public string? Find(string? name, string token)
    {
        var hash = Hash(token);
        string? found = null;
        foreach (var known in _tokens)
        {
            if (CryptographicOperations.FixedTimeEquals(hash, known.Token) && (name is null || name == known.Name))
            {
                found = known.Name;
            }
        }

        return found;
    }

    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
