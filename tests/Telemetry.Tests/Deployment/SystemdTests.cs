using System.Collections;
using System.Globalization;
using System.Text.RegularExpressions;
using Telemetry.Agent.Configuration;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Tests.Architecture;

namespace Telemetry.Tests.Deployment;

/// <summary>The units and samples that a real installation takes.</summary>
public sealed class SystemdTests
{
    private static readonly string[] Agent = SourceTree.Lines("deploy/systemd/telemetry-agent.service");
    private static readonly string[] Cloud = SourceTree.Lines("deploy/systemd/telemetry-cloud.service");

    [Fact]
    public void Password_of_the_agent_reaches_a_user_that_cannot_read_its_file()
    {
        Assert.Contains("DynamicUser=yes", Agent);
        Assert.Contains("LoadCredential=password:/etc/telemetry-agent/password", Agent);
        // What the unit's line does to the sample, with a file in place of the credential.
        var file = Path.Combine(SourceTree.Root, "LICENSE");
        var name = Agent.Single(line => line.EndsWith("=%d/password", StringComparison.Ordinal))
            ["Environment=".Length..].Split('=')[0];
        var reader = new ConfigurationReader(ConfigurationTree.Load(
            Path.Combine(SourceTree.Root, "deploy/systemd/agent.json"), new Hashtable { [name] = file }));

        var options = AgentOptions.Read(reader);

        Assert.Empty(reader.Problems);
        Assert.NotEmpty(options.Uplink.Password);
    }

    [Fact]
    public void User_of_the_cloud_is_made_by_somebody() =>
        Assert.Contains(
            SourceTree.Lines("deploy/systemd/telemetry.sysusers"),
            line => Cloud.Contains($"User={line.Split(' ').ElementAtOrDefault(1)}")
                && line.StartsWith("u ", StringComparison.Ordinal));

    [Fact]
    public void Units_are_tried_again_for_ever() =>
        Assert.All(new[] { Agent, Cloud }, unit =>
        {
            Assert.Contains("StartLimitIntervalSec=0", unit);
            Assert.Contains("Restart=always", unit);
        });

    [Fact]
    public void Readme_shows_a_reading_that_a_sample_rule_fires_at()
    {
        var readme = File.ReadAllText(Path.Combine(SourceTree.Root, "README.md"));
        var line = Regex.Match(readme, @"'boiler,device=(\w+) temperature=([\d.]+)'");
        Assert.True(line.Success, "the README has no boiler");
        var value = double.Parse(line.Groups[2].Value, CultureInfo.InvariantCulture);
        var series = new SeriesDefinition { Device = line.Groups[1].Value, Metric = "boiler.temperature" };
        var rules = AlertRulesFile.Read(Path.Combine(SourceTree.Root, "deploy/rules.json"), out var problems);

        Assert.Empty(problems);
        var rule = Assert.Single(rules!.All, rule => rule.Match.Fits(GatewayId.Parse("gateway-1"), series));
        Assert.Equal((AlertSide.Above, TimeSpan.Zero), (rule.Side, rule.For));
        Assert.InRange(rule.Threshold, 0, value - 0.1);
    }

    [Fact]
    public void Readme_names_the_keys_and_views_that_an_operator_needs_first()
    {
        var readme = File.ReadAllText(Path.Combine(SourceTree.Root, "README.md"));

        Assert.All(
            new[]
            {
                "ingress.address", "telemetry.reading_plain", "convert_from(event", "8 characters at least",
                "systemctl enable --now telemetry-cloud", "systemctl enable --now telemetry-agent",
                "http.repeatWindow", "LoadCredential=",
            },
            said => Assert.Contains(said, readme, StringComparison.Ordinal));
    }
}
