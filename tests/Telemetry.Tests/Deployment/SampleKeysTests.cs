using System.Collections;
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
        var none = new Hashtable();
        var reader = new SettingsReader(SettingsTree.Parse(
            """
            {
              "kafka.servers": "k", "database.connection": "Host=d", "ingress.gateways": "/g",
              "traces.endpoint": "http://c:4318", "alerts.rules": "/r", "processor.windows.file": "/w"
            }
            """,
            CloudConfiguration.EnvironmentPrefix, none));
        var file = Path.Combine(SourceTree.Root, "deploy/telemetry.json");
        var sample = SettingsTree.Load(file, CloudConfiguration.EnvironmentPrefix, none);

        CloudConfiguration.Read(reader);

        Assert.True(reader.Asked.Count > 80, $"it asked for {reader.Asked.Count} keys only");
        // An array of the sample: one has an item, the other is empty.
        Assert.Equal(
            ["kafka.servers", "nats.servers"],
            reader.Asked.Where(key => sample.Find(key) is null).Order(StringComparer.Ordinal));
        Assert.Contains("\"servers\": [],", File.ReadAllText(file), StringComparison.Ordinal);
        Assert.NotNull(sample.Find("nats.servers.0"));
    }
}
