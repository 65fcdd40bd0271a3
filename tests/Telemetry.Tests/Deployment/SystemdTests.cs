using System.Collections;
using System.Globalization;
using System.Text.RegularExpressions;
using Telemetry.Agent.Configuration;
using Telemetry.Cloud.Configuration;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Runtime.Settings;
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
        var reader = new SettingsReader(SettingsTree.Load(
            Path.Combine(SourceTree.Root, "deploy/systemd/agent.json"), AgentConfiguration.EnvironmentPrefix,
            new Hashtable { [name] = file }));

        var options = AgentConfiguration.Read(reader);

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
    public void Start_page_shows_a_reading_that_a_sample_rule_fires_at()
    {
        var line = Regex.Match(StartPage, @"'boiler,device=(\w+) temperature=([\d.]+)'");
        Assert.True(line.Success, "the page has no boiler");
        var value = double.Parse(line.Groups[2].Value, CultureInfo.InvariantCulture);
        var series = new SeriesDefinition { Device = line.Groups[1].Value, Metric = "boiler.temperature" };
        var rules = AlertRulesFile.Read(Path.Combine(SourceTree.Root, "deploy/rules.json"), out var problems);

        Assert.Empty(problems);
        var rule = Assert.Single(rules!.All, rule => rule.Match.Fits(GatewayId.Parse("gateway-1"), series));
        Assert.Equal((AlertSide.Above, TimeSpan.Zero), (rule.Side, rule.For));
        Assert.InRange(rule.Threshold, 0, value - 0.1);
    }

    [Fact]
    public void Start_page_names_the_keys_and_views_that_an_operator_needs_first() => Assert.All(
        new[]
        {
            "ingress.address", "telemetry.reading_plain", "telemetry.books", "convert_from(event",
            "telemetry certificates server", "systemctl enable --now telemetry-cloud", "/health/ready",
        },
        said => Assert.Contains(said, StartPage, StringComparison.Ordinal));

    /// <summary>The page writes a configuration of its own, and alters the agent's sample.</summary>
    [Fact]
    public void Configurations_of_the_start_page_are_read()
    {
        var json = Regex.Match(StartPage, @"(?s)cat > /etc/telemetry/telemetry\.json <<'END'\n(.*?)\nEND")
            .Groups[1].Value;
        // Any files that are there.
        var present = Path.Combine(SourceTree.Root, "deploy/rules.json");
        var configuration = SettingsTree.Parse(
            Regex.Replace(json, "\"/etc/telemetry/[^\"]+\"", $"\"{present}\""), "", new Hashtable());
        var sample = string.Join('\n', SourceTree.Lines("deploy/systemd/agent.json"));

        CloudConfiguration.Read(configuration, out var problems);

        Assert.Empty(problems);
        Assert.All(
            new[] { "\"gateway-1\"", "ingress.example.org", "// \"authorityFile\": \"/etc/telemetry-agent/ca.pem\"," },
            replaced => Assert.Contains(replaced, sample, StringComparison.Ordinal));
    }

    [Fact]
    public void Installation_of_an_agent_puts_its_files_where_the_unit_and_the_sample_look()
    {
        var script = string.Join('\n', SourceTree.Lines("deploy/systemd/install-agent.sh"));
        var sample = string.Join('\n', SourceTree.Lines("deploy/systemd/agent.json"));

        Assert.Contains(
            "program=/opt/telemetry-agent settings=/etc/telemetry-agent outbox=/var/lib/telemetry-agent", script,
            StringComparison.Ordinal);
        Assert.Contains("\"/var/lib/telemetry-agent/outbox\"", sample, StringComparison.Ordinal);
        Assert.Contains(Agent, line => line.StartsWith(
            "ExecStart=/opt/telemetry-agent/Telemetry.Agent run --config /etc/telemetry-agent/agent.json",
            StringComparison.Ordinal));
    }

    private static string StartPage => File.ReadAllText(Path.Combine(SourceTree.Root, "docs/start.md"));
}
