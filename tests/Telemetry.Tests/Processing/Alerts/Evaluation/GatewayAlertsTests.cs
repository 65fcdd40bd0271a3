using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Processing.Alerts.Evaluation;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Storage;

namespace Telemetry.Tests.Processing.Alerts.Evaluation;

/// <summary>How often series are matched to rules, which costs far more than a reading.</summary>
public sealed class GatewayAlertsTests
{
    private const int Lines = 40, SeriesOfLine = 50;
    private static readonly GatewayId Gateway = GatewayId.Parse("gw-1");
    private static readonly AlertOptions Options = SampleRules.With(SampleRules.Hot("no-such-metric")).Alerts;

    [Fact]
    public void Each_series_is_matched_once_whichever_lists_frames_name_in_turn()
    {
        var alerts = new GatewayAlerts(new GatewayRecord(null, Gateway, [], [], [], [], []));
        var lists = Enumerable.Range(0, Lines).Select(line => Extended(SeriesList.Empty(Gateway), line)).ToArray();

        Assert.All(lists, list => Assert.Equal(SeriesOfLine, Matched(alerts, list)));
        Assert.All(lists, list => Assert.Equal(0, Matched(alerts, list)));
        Assert.Equal(SeriesOfLine, Matched(alerts, Extended(lists[0], Lines)));
        Assert.Equal(0, Matched(alerts, lists[0]));
    }

    private static int Matched(GatewayAlerts alerts, SeriesList list)
    {
        alerts.Of(list, Options, out var matched, out _);
        return matched;
    }

    private static SeriesList Extended(SeriesList list, int line) => list.Extend(SchemaMessage.Of(
        list.Id,
        [
            .. Enumerable.Range(0, SeriesOfLine)
                .Select(i => new SeriesDefinition { Device = $"{line}", Metric = $"{i:x}" }),
        ]));
}
