using System.Collections;
using Telemetry.Agent.Configuration;
using Telemetry.Diagnostics.Tracing;
using Telemetry.Inputs.Generator;
using Telemetry.Inputs.HostMetrics;
using Telemetry.Inputs.Http;
using Telemetry.Runtime.Settings;

namespace Telemetry.Tests.Agent.Configuration;

public sealed class AgentConfigurationTests
{
    private const string Least = "\"gateway\": \"g\", \"outbox\": { \"file\": \"f\" }";

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
              "traces": { "endpoint": "http://collector:4317", "protocol": "grpc", "ratio": 0.25 },
            }
            """);

        Assert.Empty(problems);
        Assert.Equal("gw-1", options.Gateway.Value);
        Assert.Equal(
            (64L * 1024 * 1024, TimeSpan.FromMilliseconds(250)), (options.Outbox.QuotaBytes,
                options.Outbox.CommitDeadline));
        Assert.Equal(("ingress", 11883, "p"), (options.Uplink.Host, options.Uplink.Port, options.Uplink.Password));
        Assert.Equal(TimeSpan.FromSeconds(90), options.UplinkSending.Heartbeat);
        var generator = options.Inputs.OfType<GeneratorOptions>().Single();
        Assert.Equal((7, TimeSpan.Zero), (generator.ReadingsPerSecond, generator.CommitDeadline));
        Assert.Equal(
            (new Uri("http://collector:4317"), TraceProtocol.Grpc, 0.25), (options.Traces.Endpoint,
                options.Traces.Protocol, options.Traces.Ratio));
        Assert.Equal(("pi", 9100), (options.Inputs.OfType<HostMetricsOptions>().Single().Device, options.StatusPort));
    }

    [Fact]
    public void The_http_input_is_read_with_tokens_from_file_and_environment()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, "# who may write\ntelegraf:0123456789\n");
        var (options, problems) = Read(
            "{" + Least
                + $$"""
                , "uplink": { "host": "h" },
                "http": { "address": "0.0.0.0", "port": 8087, "tokenFile": "{{file}}", "bodyBytesMax": "1 MiB" } }
                """,
            new Hashtable { ["TELEMETRY_AGENT__HTTP__TOKEN"] = "from-the-environment" });
        File.Delete(file);

        Assert.Empty(problems);
        var http = Assert.IsType<HttpInputOptions>(Assert.Single(options.Inputs));
        Assert.Equal((8087, 1024 * 1024, "device"), (http.Port, http.BodyBytesMax, http.DeviceTag));
        Assert.Equal("telegraf", http.Tokens.Find(null, "0123456789"));
        Assert.Equal("default", http.Tokens.Find("default", "from-the-environment"));
        Assert.Null(http.Tokens.Find("other", "0123456789"));
    }

    [Fact]
    public void A_section_that_is_absent_is_an_input_that_is_absent()
    {
        var (options, problems) = Read("{" + Least + """, "uplink": { "host": "h" } }""");

        Assert.Empty(problems);
        Assert.Empty(options.Inputs);
    }

    [Fact]
    public void The_environment_overrides_the_file()
    {
        var (options, problems) = Read(
            "{" + Least + """, "uplink": { "host": "h" } }""",
            new Hashtable
            {
                ["TELEMETRY_AGENT__UPLINK__HOST"] = "other",
                ["TELEMETRY_AGENT__STATUS__PORT"] = "80",
                ["HOME"] = "/",
            });

        Assert.Empty(problems);
        Assert.Equal(("other", 80), (options.Uplink.Host, options.StatusPort));
    }

    [Theory]
    [InlineData("""{ "outbox": { "file": "f" }, "uplink": { "host": "h" } }""", "gateway: is missing")]
    [InlineData("""{ "gateway": "a b", "outbox": { "file": "f" }, "uplink": { "host": "h" } }""", "gateway: 'a b'")]
    [InlineData("""{ "gateway": "g", "uplink": { "host": "h" } }""", "outbox.file: is missing")]
    [InlineData("{" + Least + "}", "uplink.host: is missing")]
    [InlineData(
        "{" + Least + """, "uplink": { "host": "h", "prot": 1 } }""",
        "uplink.prot: is not a key of this program")]
    [InlineData("{" + Least + """, "uplink": { "host": "h", "port": 0 } }""", "uplink.port: '0'")]
    [InlineData("{" + Least + """, "uplink": { "host": "h", "keepAlive": "5" } }""", "uplink.keepAlive: '5'")]
    [InlineData("{" + Least + """, "uplink": { "host": "h", "tls": "ja" } }""", "uplink.tls: 'ja'")]
    [InlineData(
        "{" + Least + """, "uplink": { "host": "h", "keyFile": "k", "tls": true } }""", "uplink.certificateFile")]
    [InlineData(
        "{" + Least + """, "uplink": { "host": "h" }, "generator": { "interval": "0 s" } }""", "generator.interval")]
    [InlineData("{" + Least + """, "uplink": { "host": "h" }, "http": { "port": 70000 } }""", "http.port: '70000'")]
    [InlineData(
        "{" + Least + """, "uplink": { "host": "h" }, "http": { "address": "here" } }""", "http.address: 'here'")]
    [InlineData(
        "{" + Least + """, "uplink": { "host": "h" }, "http": { "address": "0.0.0.0" } }""",
        "http.tokenFile: is missing")]
    [InlineData(
        "{" + Least + """, "uplink": { "host": "h" }, "http": { "token": "short" } }""",
        "http.token: the token of 'default'")]
    [InlineData(
        "{" + Least + """, "uplink": { "host": "h" }, "http": { "tokenFile": "/nowhere/t" } }""", "http.tokenFile: ")]
    [InlineData(
        "{" + Least + """, "uplink": { "host": "h" }, "http": { "bodyTimeout": "0 s" } }""", "http.bodyTimeout: ")]
    [InlineData(
        "{" + Least + """, "uplink": { "host": "h" }, "http": { "bodyBytesMax": "1 GiB" } }""",
        "http.bodyBytesMax: '1 GiB'")]
    [InlineData(
        "{" + Least + """, "uplink": { "host": "h" }, "http": { "bodiesBytesMax": "1 MiB" } }""",
        "http.bodiesBytesMax: '1 MiB' is not allowed; use http.bodyBytesMax")]
    [InlineData(
        "{" + Least + """, "uplink": { "host": "h" }, "http": { "keyFile": "/nowhere/k" } }""",
        "http.certificateFile: ")]
    [InlineData(
        "{" + Least + """, "uplink": { "host": "h" }, "http": { "prot": 1 } }""",
        "http.prot: is not a key of this program")]
    [InlineData(
        """{ "outbox": { "requestsFull": "maybe" } }""",
        "outbox.requestsFull: 'maybe' is not allowed; use forgetOldest or refuse")]
    [InlineData(
        """{ "outbox": { "requestsKept": "1 s" } }""",
        "outbox.requestsKept: '1 s' is not allowed; use 1 min to 366 d")]
    [InlineData("{" + Least + """, "uplink": { "host": "h" }, "status": [1] }""", "status.0: is not a key")]
    [InlineData(
        "{" + Least + """, "uplink": { "host": "h" }, "GATEWAY": "h" }""",
        "GATEWAY: is set twice in configuration")]
    [InlineData(
        "{" + Least + """, "traces": { "endpoint": "collector" } }""",
        "traces.endpoint: is not allowed; use the address of a collector")]
    [InlineData(
        "{" + Least + """, "traces": { "protocol": "http" } }""",
        "traces.protocol: 'http' is not allowed; use http/protobuf or grpc")]
    [InlineData("{" + Least + """, "traces": { "ratio": -0.1 } }""", "traces.ratio: '-0.1' is not allowed; use 0 to 1")]
    [InlineData("{" + Least + """, "traces": { "stopTimeout": "2 h" } }""", "traces.stopTimeout: ")]
    [InlineData("{" + Least + """, "traces": { "rate": 1 } }""", "traces.rate: is not a key of this program")]
    [InlineData("""{ "outbox": { "quotaBytes": "1 TB" } }""", "outbox.quotaBytes: '1 TB'")]
    [InlineData("nonsense", "configuration: ")]
    public void What_is_wrong_is_said_by_the_name_of_the_key(string json, string problem) =>
        Assert.Contains(Read(json).Problems, p => p.StartsWith(problem, StringComparison.Ordinal));

    private static (AgentOptions Options, List<string> Problems) Read(string json, Hashtable? environment = null)
    {
        var reader = new SettingsReader(SettingsTree.Parse(
            json, AgentConfiguration.EnvironmentPrefix, environment ?? new Hashtable()));
        return (AgentConfiguration.Read(reader), reader.Problems);
    }
}
