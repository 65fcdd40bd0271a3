using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;
using Telemetry.Cloud.Configuration;
using Telemetry.Runtime.Settings;
using Telemetry.Tests.Architecture;

namespace Telemetry.Tests.Deployment;

/// <summary>An operator finds each key of the cloud in its sample.</summary>
public sealed class SampleKeysTests
{
    [Fact]
    public void Every_key_that_the_cloud_asks_for_stands_in_the_sample()
    {
        var asked = new AskedKeys(new ConfigurationBuilder()
            .AddInMemoryCollection([
                new("kafka:servers", "k"), new("database:connection", "Host=d"), new("ingress:gateways", "/g"),
                new("traces:endpoint", "http://c:4318"), new("alerts:rules", "/r"),
            ])
            .Build());
        var sample = new ConfigurationBuilder()
            .AddJsonFile(Path.Combine(SourceTree.Root, "deploy/telemetry.json"))
            .Build()
            .AsEnumerable()
            .Select(pair => pair.Key)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);

        CloudSettingsSections.Read(new SettingsReader(asked));

        Assert.True(asked.Keys.Count > 80, $"it asked for {asked.Keys.Count} keys only");
        Assert.Subset(sample, asked.Keys.ToHashSet(StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>Remembers which keys it was asked for.</summary>
    private sealed class AskedKeys(IConfiguration inner) : IConfiguration
    {
        public SortedSet<string> Keys { get; } = [];

        public string? this[string key]
        {
            get
            {
                Keys.Add(key);
                return inner[key];
            }
            set => throw new NotSupportedException();
        }

        public IConfigurationSection GetSection(string key)
        {
            Keys.Add(key);
            return inner.GetSection(key);
        }

        public IEnumerable<IConfigurationSection> GetChildren() => inner.GetChildren();

        public IChangeToken GetReloadToken() => inner.GetReloadToken();
    }
}
