using System.Collections;
using Telemetry.Agent.Configuration;
using Telemetry.Cloud.Configuration;
using Telemetry.Inputs.Http;
using Telemetry.Runtime.Settings;
using Telemetry.Simulator;
using Telemetry.Tests.Architecture;

namespace Telemetry.Tests.Deployment;

/// <summary>A user finds each key of a program in its sample, with its default.</summary>
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
        // Arrays of the sample: one has an item, the others are empty.
        Assert.Equal(
            ["alertmanager.servers", "kafka.servers", "nats.servers"],
            reader.Asked.Where(key => sample.Find(key) is null).Order(StringComparer.Ordinal));
        Assert.Contains("\"servers\": [],", File.ReadAllText(file), StringComparison.Ordinal);
        Assert.NotNull(sample.Find("nats.servers.0"));
    }

    [Fact]
    public void Every_key_that_the_agent_asks_for_stands_in_the_sample()
    {
        var reader = Agent("");
        var sample = Sample("deploy/agent.json");

        AgentConfiguration.Read(reader);

        Assert.True(reader.Asked.Count > 65, $"it asked for {reader.Asked.Count} keys only");
        Assert.Empty(reader.Asked.Where(key => sample.Find(key) is null).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Values_of_the_agents_sample_are_the_defaults()
    {
        var sample = new SettingsReader(Sample("deploy/agent.json"));
        var named = AgentConfiguration.Read(sample);
        var defaults = AgentConfiguration.Read(Agent("""
            "gateway": "gateway-1", "outbox.file": "/var/lib/telemetry-agent/outbox",
            "uplink.host": "ingress.example.org",
            """));

        Assert.Empty(sample.Problems);
        Assert.Equal([.. defaults.Inputs.Select(Comparable)], named.Inputs.Select(Comparable));
        Assert.Equal(defaults with { Inputs = [] }, named with { Inputs = [] });
    }

    [Fact]
    public void Every_key_that_the_simulator_asks_for_stands_in_its_sample_or_in_the_agents()
    {
        var reader = new SettingsReader(SettingsTree.Parse(
            """{ "generator.seed": 1, "hostMetrics.device": "host" }""", AgentConfiguration.EnvironmentPrefix, None));
        var (own, agents) = (Sample("deploy/simulator.json"), Sample("deploy/agent.json"));

        FleetConfiguration.Read(reader);

        Assert.True(reader.Asked.Count > 45, $"it asked for {reader.Asked.Count} keys only");
        Assert.Empty(reader.Asked
            .Where(key => own.Find(key) is null
                && (key.StartsWith("fleet.", StringComparison.Ordinal) || agents.Find(key) is null))
            .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Samples_of_the_simulator_and_of_an_installed_agent_are_read()
    {
        var fleet = new SettingsReader(Sample("deploy/simulator.json"));
        var agent = new SettingsReader(Sample("deploy/systemd/agent.json"));

        FleetConfiguration.Read(fleet);
        AgentConfiguration.Read(agent);

        Assert.Empty(fleet.Problems);
        // A machine of its own has the file of the password.
        Assert.StartsWith("uplink.passwordFile: ", Assert.Single(agent.Problems), StringComparison.Ordinal);
    }

    private static Hashtable None => [];

    // All inputs are on, each by one key.
    private static SettingsReader Agent(string keys) => new(SettingsTree.Parse(
        $$"""{ {{keys}} "generator.seed": 1, "hostMetrics.device": "host", "http.port": 8086 }""",
        AgentConfiguration.EnvironmentPrefix, None));

    private static SettingsTree Sample(string file) =>
        SettingsTree.Load(Path.Combine(SourceTree.Root, file), AgentConfiguration.EnvironmentPrefix, None);

    // Two empty lists of tokens are not equal.
    private static object Comparable(object input) =>
        input is HttpInputOptions { Tokens.IsEmpty: true } http ? http with { Tokens = AccessTokens.None } : input;
}
