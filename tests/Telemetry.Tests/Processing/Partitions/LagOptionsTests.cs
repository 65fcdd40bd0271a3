using Telemetry.Processing.Partitions;
using Telemetry.Storage;

namespace Telemetry.Tests.Processing.Partitions;

public sealed class LagOptionsTests
{
    private static readonly TimeSpan Week = TimeSpan.FromDays(7);

    [Theory]
    [InlineData(0, 0, LagStage.None)]
    [InlineData(1, 59, LagStage.None)]
    [InlineData(1, 60, LagStage.Info)]
    [InlineData(1, 15 * 60, LagStage.Warning)]
    [InlineData(1, 6 * 86_400, LagStage.Critical)]
    [InlineData(1, 7 * 86_400, LagStage.OutlivesLog)]
    public void Stage_follows_from_the_age_of_the_oldest_unread_message(long messages, int seconds, LagStage stage) =>
        Assert.Equal(stage, new LagOptions().Stage(messages, TimeSpan.FromSeconds(seconds), Week, readASecond: null));

    [Fact]
    public void Stream_that_is_read_too_slowly_outlives_the_log()
    {
        var options = new LagOptions();

        Assert.Equal(LagStage.OutlivesLog, options.Stage(604_801, TimeSpan.FromHours(1), Week, readASecond: 1));
        Assert.Equal(LagStage.Warning, options.Stage(604_799, TimeSpan.FromHours(1), Week, readASecond: 1));
    }

    [Fact]
    public void Log_that_keeps_messages_for_a_short_time_is_critical_in_its_last_quarter()
    {
        var (options, kept) = (new LagOptions(), TimeSpan.FromHours(1));

        Assert.Equal(LagStage.Warning, options.Stage(1, TimeSpan.FromMinutes(44), kept, readASecond: null));
        Assert.Equal(LagStage.Critical, options.Stage(1, TimeSpan.FromMinutes(45), kept, readASecond: null));
    }

    [Fact]
    public void Log_that_keeps_messages_for_ever_is_never_critical() => Assert.Equal(
        LagStage.Warning, new LagOptions().Stage(1, TimeSpan.FromDays(400), TimeSpan.Zero, readASecond: 0.000_001));
}
