using Telemetry.Edge.Outbox;
using Telemetry.Model.Identity;
using Xunit;

namespace Telemetry.TestKit.Contracts;

/// <summary>What every outbox file must keep while its disk refuses; one subclass a kind of file.</summary>
public abstract class OutboxFaultContract : IAsyncLifetime
{
    private static readonly GatewayId Gateway = GatewayId.Parse("gw-1");

    private IOutboxFile _file = null!;

    public virtual async Task InitializeAsync()
    {
        _file = await OpenFileAsync();
        await _file.LoadAsync(Gateway, CancellationToken.None);
    }

    public virtual async Task DisposeAsync() => await _file.DisposeAsync();

    [Theory]
    [InlineData(OutboxFault.Full)]
    [InlineData(OutboxFault.ReadOnly)]
    [InlineData(OutboxFault.Io)]
    [InlineData(OutboxFault.Busy)]
    [InlineData(OutboxFault.Corrupt)]
    public async Task A_commit_that_the_disk_refuses_is_rolled_back_and_the_next_one_is_taken(OutboxFault fault)
    {
        await CommitAsync(1, segment: 1);
        FailNextCommit(fault);

        var error = await Assert.ThrowsAsync<OutboxException>(() => CommitAsync(2, segment: 2, removed: 1));

        Assert.Equal((fault, true), (error.Fault, error.IsUndone));
        Assert.NotNull((await _file.ReadSegmentAsync(1, default)).Data);
        Assert.Null((await _file.ReadSegmentAsync(2, default)).Data);
        await CommitAsync(2, segment: 3);
        var image = await ReopenAsync();
        Assert.Equal(2, image.Accepted);
        Assert.Equal([1L, 3L], image.Segments.Select(s => s.Id));
    }

    [Fact]
    public async Task The_same_commit_is_taken_once_the_disk_takes_it()
    {
        await CommitAsync(1, segment: 1);
        for (var i = 0; i < 3; i++)
        {
            FailNextCommit(OutboxFault.Full);
            await Assert.ThrowsAsync<OutboxException>(() => CommitAsync(2, segment: 2, removed: 1));
        }

        await CommitAsync(2, segment: 2, removed: 1);
        Assert.Equal(2, Assert.Single((await ReopenAsync()).Segments).Id);
    }

    [Fact]
    public async Task A_read_that_fails_leaves_the_file_as_it_is()
    {
        await CommitAsync(1, segment: 1);
        FailNextRead(OutboxFault.Io);

        var error = await Assert.ThrowsAsync<OutboxException>(
            () => _file.ReadSegmentAsync(1, CancellationToken.None).AsTask());

        Assert.Equal((OutboxFault.Io, true), (error.Fault, error.IsUndone));
        Assert.NotNull((await _file.ReadSegmentAsync(1, CancellationToken.None)).Data);
        await CommitAsync(2, segment: 2);
    }

    [Fact]
    public async Task What_is_used_grows_with_what_is_kept_and_shrinks_with_what_leaves()
    {
        await CommitAsync(1, segment: 1);
        var one = _file.Space.UsedBytes;
        await CommitAsync(2, segment: 2);
        var two = _file.Space.UsedBytes;
        await CommitAsync(2, segment: 3, removed: 2);
        var replaced = _file.Space.UsedBytes;
        Assert.True(two >= one + Bytes.Length, $"{one} to {two}");
        Assert.Equal(two, replaced);
        await _file.CommitAsync(new OutboxCommit { Accepted = 2, PromisedW = 0, RemovedSegments = [1, 3] }, default);
        Assert.True(_file.Space.UsedBytes <= two - (2 * Bytes.Length), $"{two} to {_file.Space.UsedBytes}");
        Assert.True(_file.Space.HasRoom);
    }

    protected static byte[] Bytes { get; } = new byte[20_000];

    /// <summary>Opens the one file of this test, as a new process would after the last one closed it.</summary>
    protected abstract Task<IOutboxFile> OpenFileAsync();

    /// <summary>The next commit fails so, at its end.</summary>
    protected abstract void FailNextCommit(OutboxFault fault);

    /// <summary>The next read of a segment fails so.</summary>
    protected abstract void FailNextRead(OutboxFault fault);

    protected async Task<OutboxImage> ReopenAsync()
    {
        await _file.DisposeAsync();
        _file = await OpenFileAsync();
        return await _file.LoadAsync(Gateway, CancellationToken.None);
    }

    protected Task CommitAsync(long accepted, long segment, long removed = 0) => _file.CommitAsync(
        new OutboxCommit
        {
            Accepted = accepted,
            PromisedW = 0,
            BringsReadings = true,
            Segments = [new SegmentRow(segment, 1, 0, 0, 0, Bytes.Length, Bytes, new byte[3])],
            RemovedSegments = removed > 0 ? [removed] : [],
        },
        CancellationToken.None).AsTask();
}
