using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using Telemetry.Alerting.Relay;
using Telemetry.Storage.Alerts;
using Telemetry.TestKit.Contracts;
using Telemetry.Tests.Architecture;

namespace Telemetry.Tests.Alerting.Relay;

/// <summary>
/// The published JSON Schema of an alert's data. Each version is a file that stays; a change of
/// <see cref="AlertTransition"/> needs a new one, which must read all that was written before (BACKWARD).
/// </summary>
public sealed class AlertSchemaTests
{
    private static readonly string Folder = Path.Combine(SourceTree.Root, "docs/reference/schemas");

    private static readonly string[] Versions =
    [
        .. Directory.GetFiles(Folder, "alert.v1.*.json")
            .OrderBy(f => int.Parse(Path.GetFileName(f).Split('.')[2], CultureInfo.InvariantCulture)),
    ];

    [Fact]
    public void Newest_file_is_the_schema_of_what_is_published()
    {
        var options = new JsonSerializerOptions(AlertJson.Default.Options);
        var exported = options.GetJsonSchemaAsNode(typeof(AlertTransition)).AsObject();
        var file = Read(Versions[^1]);

        Assert.Equal(AlertRecord.DataSchema, (string?)file["$id"]);
        Assert.Equal(
            exported["properties"]!.AsObject().Select(p => $"{p.Key}: {Shape(p.Value!)}").Order(),
            file["properties"]!.AsObject().Select(p => $"{p.Key}: {Shape(p.Value!)}").Order());
        Assert.Equal(Texts(exported["required"]).Order(), Texts(file["required"]).Order());
        Assert.All(file["properties"]!.AsObject(), p => Assert.False(
            string.IsNullOrEmpty((string?)p.Value!["description"]), $"{p.Key} has no description"));
    }

    [Fact]
    public void Each_version_reads_what_the_one_before_wrote()
    {
        Assert.NotEmpty(Versions);
        foreach (var (old, young) in Versions.Zip(Versions.Skip(1)))
        {
            Assert.Empty(Breaks(Read(old), Read(young)));
        }
    }

    [Fact]
    public void Transition_has_what_its_schema_requires()
    {
        var transition = JsonNode.Parse(AlertSamples.Transition(1, 1).ToJson())!.AsObject();
        var file = Read(Versions[^1]);

        Assert.All(Texts(file["required"]), key => Assert.True(transition.ContainsKey(key), key));
        Assert.All(transition, p => Assert.True(file["properties"]!.AsObject().ContainsKey(p.Key), p.Key));
    }

    [Theory]
    [InlineData("""{"properties":{"a":{"type":"string"},"b":{"type":"integer"}},"required":["a"]}""", "")]
    [InlineData("""{"properties":{"a":{"type":"string"}},"required":["a"]}""", "")]
    [InlineData("""{"properties":{"a":{"type":["string","null"]}},"required":[]}""", "")]
    [InlineData("""{"properties":{"a":{"type":"string"},"k":{"enum":["x","y","z"]}},"required":["a"]}""", "")]
    [InlineData("""{"properties":{"a":{"type":"integer"}},"required":["a"]}""", "a: string is not read any more")]
    [InlineData("""{"properties":{"a":{"type":"string"},"c":{}},"required":["a","c"]}""", "c: was not required before")]
    [InlineData(
        """{"properties":{"a":{"type":"string"},"k":{"enum":["x"]}},"required":["a"]}""", "k: y is not read any more")]
    [InlineData("""{"properties":{"a":{"type":"string"},"b":{}},"required":["a","b"]}""", "b: was not required before")]
    public void Breaking_change_is_found(string young, string expected)
    {
        const string old = """
            {"properties":{"a":{"type":"string"},"b":{"type":"integer"},"k":{"enum":["x","y"]}},"required":["a"]}
            """;

        Assert.Equal(
            expected.Length == 0 ? [] : [expected],
            Breaks(JsonNode.Parse(old)!.AsObject(), JsonNode.Parse(young)!.AsObject()));
    }

    private static IEnumerable<string> Breaks(JsonObject old, JsonObject young)
    {
        foreach (var key in Texts(young["required"]).Except(Texts(old["required"])))
        {
            yield return $"{key}: was not required before";
        }

        foreach (var (key, before) in old["properties"]!.AsObject())
        {
            if (young["properties"]![key] is not { } after)
            {
                continue;
            }

            foreach (var part in (string[])["type", "enum"])
            {
                foreach (var gone in Parts(after, part).Any() ? Parts(before!, part).Except(Parts(after, part)) : [])
                {
                    yield return $"{key}: {gone} is not read any more";
                }
            }
        }
    }

    private static string Shape(JsonNode property) =>
        $"{string.Join("|", Parts(property, "type"))} {string.Join("|", Parts(property, "enum"))}".Trim();

    // What is allowed as one of several is allowed.
    private static IEnumerable<string> Parts(JsonNode property, string part) =>
        Texts(property[part]).Concat((property["anyOf"] as JsonArray ?? []).SelectMany(p => Texts(p![part])));

    private static IEnumerable<string> Texts(JsonNode? node) => node switch
    {
        null => [],
        JsonArray array => array.Select(n => n!.ToString()),
        _ => [node.ToString()],
    };

    private static JsonObject Read(string path) => JsonNode.Parse(File.ReadAllText(path))!.AsObject();
}
