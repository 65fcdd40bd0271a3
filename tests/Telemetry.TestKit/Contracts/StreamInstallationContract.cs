using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;
using Telemetry.Streams;
using Xunit;

namespace Telemetry.TestKit.Contracts;

/// <summary>
/// What every log does: its streams carry the facts of their installation, and who uses it by other facts is refused.
/// </summary>
public abstract class StreamInstallationContract
{
    private const int P = 3;
    private static readonly GatewayId G = GatewayId.Parse("gateway-1");

    /// <summary>Makes a fresh log without streams, runs the test on it, and leaves nothing behind.</summary>
    protected abstract Task RunAsync(Func<FrameLogStand, Task> test);

    [Fact]
    public Task Log_without_streams_tells_nothing() => RunAsync(async stand =>
        Assert.Null(await stand.Log.FindInstallationAsync(default)));

    [Fact]
    public Task Log_tells_the_facts_by_which_its_streams_were_made() => RunAsync(async stand =>
    {
        await stand.As(SampleInstallation.Of(16)).EnsureStreamsAsync(P, default);

        Assert.Equal(
            new StreamInstallation(SampleInstallation.Of(16)), await stand.Log.FindInstallationAsync(default));
    });

    [Fact]
    public Task Another_number_of_partitions_makes_no_stream_and_sees_none() => RunAsync(async stand =>
    {
        var (ours, theirs) = (stand.As(SampleInstallation.Of(16)), stand.As(SampleInstallation.Of(8)));
        await ours.EnsureStreamsAsync(P, default);

        var refused = await Assert.ThrowsAsync<InstallationException>(() => theirs.EnsureStreamsAsync(P, default));
        await Assert.ThrowsAsync<InstallationException>(() => theirs.EnsureStreamsAsync(P + 1, default));
        await Assert.ThrowsAsync<InstallationException>(
            async () => await theirs.StateAsync(P, StreamKind.Live, default));
        Assert.Contains("16 partitions", refused.Message, StringComparison.Ordinal);
        Assert.Contains("8 partitions", refused.Message, StringComparison.Ordinal);
        Assert.Null(await ours.StateAsync(P + 1, StreamKind.Live, default));
    });

    [Fact]
    public Task Append_by_another_number_of_partitions_reaches_no_stream() => RunAsync(async stand =>
    {
        var ours = stand.As(SampleInstallation.Of(16));
        await ours.EnsureStreamsAsync(P, default);

        await Assert.ThrowsAsync<FrameLogException>(async () => await Append(stand.As(SampleInstallation.Of(8)), "a"));
        Assert.Equal(new FrameAppend(1, false), await Append(ours, "a"));
    });

    [Fact]
    public Task Another_installation_is_refused() => RunAsync(async stand =>
    {
        await stand.As(SampleInstallation.Of(16)).EnsureStreamsAsync(P, default);

        await Assert.ThrowsAsync<InstallationException>(
            () => stand.As(SampleInstallation.Another(16)).EnsureStreamsAsync(P, default));
    });

    [Fact]
    public Task Next_generation_has_streams_of_its_own_and_the_earlier_one_makes_none_any_more() =>
        RunAsync(async stand =>
        {
            var first = stand.As(SampleInstallation.Of(16));
            var facts = SampleInstallation.Of(5) with { Generation = 2 };
            var second = stand.As(facts);
            await first.EnsureStreamsAsync(P, default);
            await Append(first, "a");
            await second.EnsureStreamsAsync(P, default);

            Assert.Equal(new StreamInstallation(facts), await stand.Log.FindInstallationAsync(default));
            Assert.Equal(new FrameAppend(1, false), await Append(second, "a"));
            Assert.Equal("a", (await first.ReadAsync(P, StreamKind.Live, 1, default))!.MessageId);
            await Assert.ThrowsAsync<InstallationException>(() => first.EnsureStreamsAsync(P, default));
        });

    [Fact]
    public Task Streams_that_were_remade_by_another_installation_are_refused() => RunAsync(async stand =>
    {
        var ours = stand.As(SampleInstallation.Of(16));
        await ours.EnsureStreamsAsync(P, default);
        await stand.WipeAsync(P);
        await stand.ForgetInstallationAsync();
        await stand.As(SampleInstallation.Another(16)).EnsureStreamsAsync(P, default);

        await Assert.ThrowsAsync<InstallationException>(async () => await ours.StateAsync(P, StreamKind.Live, default));
    });

    private static ValueTask<FrameAppend> Append(IFrameLog log, string id) =>
        log.AppendAsync(P, StreamKind.Live, G, id, new byte[] { 1 }, default);
}
