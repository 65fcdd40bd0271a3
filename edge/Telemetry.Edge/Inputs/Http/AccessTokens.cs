using System.Security.Cryptography;
using System.Text;
using Telemetry.Edge.Configuration;

namespace Telemetry.Edge.Inputs.Http;

/// <summary>
/// Who may write: names and their tokens. Only hashes of them are kept, and looking one up takes the same time whatever
/// was sent. A credential is a token alone (<c>Authorization: Token …</c>, <c>Bearer …</c>) or a name with its token
/// (<c>Basic</c>, <c>u</c> and <c>p</c> of a query, <c>Token NAME:TOKEN</c>).
/// </summary>
public sealed class AccessTokens
{
    /// <summary>Nobody is asked.</summary>
    public static readonly AccessTokens None = new([]);

    /// <summary>The most lines of a file.</summary>
    private const int TokensMax = 1000;

    private const int TokenCharactersMin = 8;
    private readonly List<(string Name, byte[] Token)> _tokens;

    private AccessTokens(List<(string, byte[])> tokens) => _tokens = tokens;

    /// <summary>True: everybody may write.</summary>
    public bool IsEmpty => _tokens.Count == 0;

    /// <summary>Of pairs, for tests.</summary>
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

    internal static AccessTokens Read(ConfigurationReader reader)
    {
        var tokens = new List<(string, byte[])>();
        var file = reader.Text("http.tokenFile", "");
        var token = reader.Text("http.token", "");
        if (token.Length > 0)
        {
            Add(reader, "http.token", tokens, "default", token);
        }

        if (file.Length > 0)
        {
            ReadFile(reader, file, tokens);
        }

        return new AccessTokens(tokens);
    }

    // What is wrong is said by the line's number: a token never stands in a message.
    private static void ReadFile(ConfigurationReader reader, string file, List<(string, byte[])> tokens)
    {
        try
        {
            var number = 0;
            foreach (var line in File.ReadLines(file).Take(TokensMax + 1))
            {
                number++;
                var text = line.Trim();
                if (text.Length == 0 || text[0] == '#')
                {
                    continue;
                }

                var colon = text.IndexOf(':', StringComparison.Ordinal);
                if (colon <= 0 || number > TokensMax)
                {
                    reader.Problem(
                        "http.tokenFile", $"line {number} of {file} is no NAME:TOKEN, or beyond {TokensMax} lines");
                    return;
                }

                Add(reader, "http.tokenFile", tokens, text[..colon], text[(colon + 1)..]);
            }

            if (tokens.Count == 0)
            {
                reader.Problem("http.tokenFile", $"{file} has no token");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            reader.Problem("http.tokenFile", e.Message);
        }
    }

    private static void Add(
        ConfigurationReader reader, string key, List<(string, byte[])> tokens, string name, string token)
    {
        if (token.Length < TokenCharactersMin)
        {
            reader.Problem(key, $"the token of '{name}' has less than {TokenCharactersMin} characters");
        }

        tokens.Add((name, Hash(token)));
    }

    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
