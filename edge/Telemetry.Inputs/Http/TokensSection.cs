using Telemetry.Runtime.Settings;

namespace Telemetry.Inputs.Http;

/// <summary>
/// Reads who may write by HTTP: keys <c>http.token</c> and <c>http.tokenFile</c> of an agent's configuration.
/// </summary>
internal static class TokensSection
{
    /// <summary>The most lines of a file.</summary>
    private const int TokensMax = 1000;

    private const int TokenCharactersMin = 8;

    public static AccessTokens Read(SettingsReader reader)
    {
        var tokens = new List<(string Name, string Token)>();
        var file = reader.Text("http.tokenFile", "");
        var token = reader.Secret("http.token") ?? "";
        if (token.Length > 0)
        {
            Add(reader, "http.token", tokens, "default", token);
        }

        if (file.Length > 0)
        {
            ReadFile(reader, file, tokens);
        }

        return AccessTokens.Of([.. tokens]);
    }

    // What is wrong is said by the line's number: a token never stands in a message.
    private static void ReadFile(SettingsReader reader, string file, List<(string Name, string Token)> tokens)
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
                        "http.tokenFile",
                        number > TokensMax
                            ? $"{file} has more than {TokensMax} lines"
                            : $"line {number} of {file} is not NAME:TOKEN");
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
        SettingsReader reader, string key, List<(string Name, string Token)> tokens, string name, string token)
    {
        if (token.Length < TokenCharactersMin)
        {
            reader.Problem(key, $"the token of '{name}' is too short; use {TokenCharactersMin} characters or more");
        }

        tokens.Add((name, token));
    }
}
