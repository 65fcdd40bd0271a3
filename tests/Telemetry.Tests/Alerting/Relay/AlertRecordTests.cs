using System.Text;
using Telemetry.Alerting.Relay;
using Telemetry.Storage.Alerts;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Tests.Alerting.Relay;

public sealed class AlertRecordTests
{
    [Fact]
    public void Record_has_every_attribute_of_its_transition()
    {
        var row = AlertSamples.Row(
            3, AlertHead.None, AlertSamples.Transition(3, 5) with { DetectionDelayMicros = -2_500_000 });

        var record = AlertRecord.Of(row, 12, "/site", out var readable);

        Assert.True(readable);
        Assert.Equal("pump-3-5", record.Key);
        Assert.Equal(
            [
                "content-type: application/json", "ce_specversion: 1.0", $"ce_id: {row.Id}", "ce_source: /site",
                "ce_type: telemetry.alert.firing.v1", "ce_dataschema: urn:telemetry:alert:v1",
                "ce_subject: pump-3-5", "ce_time: 2026-01-01T00:00:00.000005Z",
                "ce_partitionkey: pump-3-5", $"ce_correlationid: {new string('1', 32)}",
                "ce_causationid: gw-3/0000000000000007/live/1+1",
                "ce_traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "ce_severity: critical",
                "ce_actor: rules", "ce_late: true", "ce_detectiondelay: -PT2.5S", "ce_sequence: 00000000000000000001",
                "telemetry-partition: 3", "telemetry-number: 1", $"telemetry-chain: {row.Head.Chain:x32}",
                "telemetry-since: 12",
            ],
            record.Headers.Select(h => $"{h.Key}: {h.Value}"));
    }

    [Fact]
    public void Row_that_cannot_be_read_leaves_as_it_is_and_is_found_again()
    {
        var json = "{\"id\":"u8.ToArray();
        var row = new AlertOutboxRow(1, AlertHead.None.Next(json), "odd", json);

        var record = AlertRecord.Of(row, 0, "/site", out var readable);

        Assert.False(readable);
        Assert.Equal("odd", record.Key);
        var headers = record.Headers.ToDictionary(h => h.Key, h => Encoding.UTF8.GetBytes(h.Value));
        Assert.True(AlertRecord.TryReadBack(name => headers.GetValueOrDefault(name), row.Json, out var found));
        Assert.Equal(("odd", 1, row.Head), (found.Id, found.Partition, found.Head));
    }

    [Theory]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    public void Time_that_no_calendar_has_is_shown_at_its_end(long micros)
    {
        var row = AlertSamples.Row(
            1, AlertHead.None,
            AlertSamples.Transition(1, 1) with { TimeMicros = micros, DetectionDelayMicros = micros });

        var time = AlertRecord.Of(row, 0, "/", out _).Headers.Single(h => h.Key == "ce_time").Value;

        Assert.Equal(micros < 0 ? "0001-01-01T00:00:00.000000Z" : "9999-12-31T23:59:59.999999Z", time);
    }

    [Fact]
    public void Record_of_somebody_else_is_not_read()
    {
        var foreign =
            new Dictionary<string, byte[]> { ["ce_id"] = "x"u8.ToArray(), ["telemetry-partition"] = "1"u8.ToArray() };

        Assert.False(AlertRecord.TryReadBack(name => foreign.GetValueOrDefault(name), default, out _));
        Assert.False(AlertRecord.TryReadBack(_ => null, default, out _));
    }

    [Fact]
    public void Position_is_read_as_it_was_written()
    {
        var position = new RelayPosition(
            new AlertHead(long.MaxValue, UInt128.MaxValue), new DuplicateFilterWindow(1, 253_402_300_799_999));

        Assert.True(RelayPosition.TryRead(Encoding.UTF8.GetBytes(position.ToString()), out var read));
        Assert.Equal(position, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1 00000000000000000000000000000000 0")]
    [InlineData("-1 00000000000000000000000000000000 0 0")]
    [InlineData("1 0 0 0")]
    [InlineData("1 0000000000000000000000000000000g 0 0")]
    [InlineData("99999999999999999999 00000000000000000000000000000000 0 0")]
    public void Malformed_position_is_refused(string text) =>
        Assert.False(RelayPosition.TryRead(Encoding.UTF8.GetBytes(text), out _));
}
