using Telemetry.SystemTests.Alerts;

namespace Telemetry.Integration.SystemTests;

public sealed class AlertVerdictTests
{
    [Theory]
    [InlineData("a,b", "", "a,b", true, 0)]
    [InlineData("a,b", "", "a", true, 1)]
    [InlineData("a,b", "", "a", false, 1)]
    [InlineData("a", "", "a,a", true, 1)]
    [InlineData("a", "", "a,a", false, 0)]
    [InlineData("a", "", "a,x", true, 1)]
    [InlineData("a", "", "a,x", false, 0)]
    [InlineData("a", "x", "a,x", true, 0)]
    [InlineData("a", "", "x,x", true, 3)]
    public void Mock_is_asked_only_what_it_can_answer_and_a_broker_everything(
        string stored, string listed, string sent, bool isReal, int faults)
    {
        var verdict = AlertVerdict.Judge(Ids(stored), Ids(listed), sent.Split(',').CountBy(id => id).ToDictionary(),
            isReal);

        Assert.Equal(faults, verdict.Faults.Count);
        Assert.Equal(isReal, verdict.NotJudged.Count == 0);
    }

    private static HashSet<string> Ids(string list) => [.. list.Split(',', StringSplitOptions.RemoveEmptyEntries)];
}
