using System.Collections;
using System.Text.Json;

namespace Telemetry.Agent.Configuration;

/// <summary>
/// The values of a configuration by their keys (<c>section.key</c>, upper and lower case are the same): a JSON file of
/// objects and plain values, and over it the environment, where <c>TELEMETRY_AGENT__SECTION__KEY</c> sets
/// <c>section.key</c>.
/// </summary>
public sealed class ConfigurationTree
{
    /// <summary>What a variable of the environment begins with to count.</summary>
    public const string EnvironmentPrefix = "TELEMETRY_AGENT__";

    private const int FileBytesMax = 1024 * 1024;
    private readonly Dictionary<string, string> _values = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>What was wrong with the file as a whole.</summary>
    public List<string> Problems { get; } = [];

    /// <summary>All keys that are set.</summary>
    public IReadOnlyCollection<string> Keys => _values.Keys;

    /// <summary>Reads a file; what cannot be read is a problem, not an exception.</summary>
    public static ConfigurationTree Load(string path, IDictionary environment)
    {
        var tree = new ConfigurationTree();
        try
        {
            if (new FileInfo(path).Length > FileBytesMax)
            {
                tree.Problems.Add($"{path}: more than {FileBytesMax} bytes");
                return tree;
            }

            tree.AddJson(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            tree.Problems.Add($"{path}: {e.Message}");
        }

        tree.AddEnvironment(environment);
        return tree;
    }

    /// <summary>Reads text, for tests.</summary>
    public static ConfigurationTree Parse(string json, IDictionary environment)
    {
        var tree = new ConfigurationTree();
        tree.AddJson(System.Text.Encoding.UTF8.GetBytes(json), "configuration");
        tree.AddEnvironment(environment);
        return tree;
    }

    /// <summary>The value of a key.</summary>
    public bool TryGet(string key, out string value) => _values.TryGetValue(key, out value!);

    /// <summary>True when a key of the section is set.</summary>
    public bool Has(string section) =>
        _values.Keys.Any(key => key.StartsWith(section + ".", StringComparison.OrdinalIgnoreCase));

    private void AddJson(ReadOnlyMemory<byte> json, string where)
    {
        var options =
            new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };
        try
        {
            using var document = JsonDocument.Parse(json, options);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                AddObject(document.RootElement, "");
            }
            else
            {
                Problems.Add($"{where}: an object is expected");
            }
        }
        catch (JsonException e)
        {
            Problems.Add($"{where}: {e.Message}");
        }
    }

    private void AddObject(JsonElement element, string prefix)
    {
        foreach (var property in element.EnumerateObject())
        {
            var key = prefix + property.Name;
            switch (property.Value.ValueKind)
            {
                case JsonValueKind.Object:
                    AddObject(property.Value, key + ".");
                    break;
                case JsonValueKind.Array or JsonValueKind.Null:
                    Problems.Add($"{key}: a value or an object is expected");
                    break;
                default:
                    if (!_values.TryAdd(key, property.Value.ToString()))
                    {
                        Problems.Add($"{key}: stands there twice");
                    }

                    break;
            }
        }
    }

    private void AddEnvironment(IDictionary environment)
    {
        foreach (DictionaryEntry variable in environment)
        {
            var name = (string)variable.Key;
            if (name.StartsWith(EnvironmentPrefix, StringComparison.Ordinal))
            {
                _values[name[EnvironmentPrefix.Length..].Replace("__", ".", StringComparison.Ordinal)] =
                    (string?)variable.Value ?? "";
            }
        }
    }
}
