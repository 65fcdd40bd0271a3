using System.Collections;
using Telemetry.Edge.Configuration;

namespace Telemetry.Tests.Configuration;

public sealed class AgentOptionsTests
{
    private const string Least = "\"gateway\": \"g\", \"outbox\": { \"file\": \"f\" }";
    private static readonly Hashtable NoEnvironment = [];

    [Fact]
    public void A_complete_configuration_is_read()
    {
        var (options, problems) = Read(
            """
            {
              "gateway": "gw-1", // who we are
              "outbox": { "file": "/var/lib/x/outbox", "quotaBytes": "64 MiB", "commitDeadline": "250 ms" },
              "uplink": { "host": "ingress", "port": 11883, "user": "u", "password": "p", "heartbeat": "1.5 min" },
              "generator": { "readingsPerSecond": 7, "commitDeadline": "0 s" },
              "hostMetrics": { "device": "pi" },
              "status": { "port": 9100 },
            }
            """);

        Assert.Empty(problems);
        Assert.Equal("gw-1", options.Gateway.Value);
        Assert.Equal((64L * 1024 * 1024, TimeSpan.FromMilliseconds(250)), (options.Outbox.QuotaBytes, options.Outbox.CommitDeadline));
        Assert.Equal(("ingress", 11883, "p"), (options.Uplink.Host, options.Uplink.Port, options.Uplink.Password));
        Assert.Equal(TimeSpan.FromSeconds(90), options.UplinkSending.Heartbeat);
        Assert.Equal((7, TimeSpan.Zero), (options.Generator!.ReadingsPerSecond, options.Generator.CommitDeadline));
        Assert.Equal(("pi", 9100), (options.HostMetrics!.Device, options.StatusPort));
    }

    [Fact]
    public void A_section_that_is_absent_is_an_input_that_is_absent()
    {
        var (options, problems) = Read("{" + Least + """, "uplink": { "host": "h" } }""");

        Assert.Empty(problems);
        Assert.Null(options.Generator);
        Assert.Null(options.HostMetrics);
    }

    [Fact]
    public void The_environment_overrides_the_file()
    {
        var (options, problems) = Read(
            "{" + Least + """, "uplink": { "host": "h" } }""",
            new Hashtable { ["TELEMETRY_AGENT__UPLINK__HOST"] = "other", ["TELEMETRY_AGENT__STATUS__PORT"] = "80", ["HOME"] = "/" });

        Assert.Empty(problems);
        Assert.Equal(("other", 80), (options.Uplink.Host, options.StatusPort));
    }

    [Theory]
    [InlineData("""{ "outbox": { "file": "f" }, "uplink": { "host": "h" } }""", "gateway: is missing")]
    [InlineData("""{ "gateway": "a b", "outbox": { "file": "f" }, "uplink": { "host": "h" } }""", "gateway: 'a b'")]
    [InlineData("""{ "gateway": "g", "uplink": { "host": "h" } }""", "outbox.file: is missing")]
    [InlineData("{" + Least + "}", "uplink.host: is missing")]
    [InlineData("{" + Least + """, "uplink": { "host": "h", "prot": 1 } }""", "uplink.prot: no such key")]
    [InlineData("{" + Least + """, "uplink": { "host": "h", "port": 0 } }""", "uplink.port: '0'")]
    [InlineData("{" + Least + """, "uplink": { "host": "h", "keepAlive": "5" } }""", "uplink.keepAlive: '5'")]
    [InlineData("{" + Least + """, "uplink": { "host": "h", "tls": "ja" } }""", "uplink.tls: 'ja'")]
    [InlineData("{" + Least + """, "uplink": { "host": "h", "keyFile": "k", "tls": true } }""", "uplink.certificateFile")]
    [InlineData("{" + Least + """, "uplink": { "host": "h" }, "generator": { "interval": "0 s" } }""", "generator.interval")]
    [InlineData("{" + Least + """, "uplink": { "host": "h" }, "status": [1] }""", "status: a value or an object")]
    [InlineData("{" + Least + """, "uplink": { "host": "h" }, "GATEWAY": "h" }""", "GATEWAY: stands there twice")]
    [InlineData("""{ "outbox": { "quotaBytes": "1 TB" } }""", "outbox.quotaBytes: '1 TB'")]
    [InlineData("nonsense", "configuration: ")]
    public void What_is_wrong_is_said_by_the_name_of_the_key(string json, string problem) =>
        Assert.Contains(Read(json).Problems, p => p.StartsWith(problem, StringComparison.Ordinal));

    [Fact]
    public void A_file_that_is_not_there_is_a_problem_and_no_crash() =>
        Assert.Contains(
            ConfigurationTree.Load("/nowhere/agent.json", NoEnvironment).Problems,
            p => p.StartsWith("/nowhere/agent.json", StringComparison.Ordinal));

    private static (AgentOptions Options, List<string> Problems) Read(string json, Hashtable? environment = null)
    {
        var reader = new ConfigurationReader(ConfigurationTree.Parse(json, environment ?? NoEnvironment));
        return (AgentOptions.Read(reader), reader.Problems);
    }
}
