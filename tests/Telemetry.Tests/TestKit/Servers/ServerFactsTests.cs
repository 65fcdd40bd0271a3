using Telemetry.TestKit.Servers;

namespace Telemetry.Tests.TestKit.Servers;

public sealed class ServerFactsTests
{
    [Fact]
    public void Missing_server_is_a_reason_to_skip_that_names_it_but_never_where_tests_must_run()
    {
        Assert.Contains(
            "nats-server", Missing.Reason("nats-server", found: null, mustRun: false), StringComparison.Ordinal);
        Assert.Null(Missing.Reason("nats-server", found: null, mustRun: true));
        Assert.Null(Missing.Reason("nats-server", found: "/usr/sbin/nats-server", mustRun: false));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void Kafka_that_nobody_names_is_a_reason_to_skip_that_names_the_variable(string? folder) => Assert.Contains(
        "TELEMETRY_KAFKA_DIR is not set", Missing.KafkaReason(folder), StringComparison.Ordinal);

    [Fact]
    public void Kafka_that_is_named_must_start() => Assert.Null(Missing.KafkaReason("/no/such/folder"));

    [Fact]
    public void Program_is_found_by_name_and_a_missing_one_is_named()
    {
        Assert.NotNull(Programs.Find("sh"));
        Assert.Contains(
            "no-such-program",
            Assert.Throws<FileNotFoundException>(() => Programs.Require("no-such-program")).Message,
            StringComparison.Ordinal);
    }
}
