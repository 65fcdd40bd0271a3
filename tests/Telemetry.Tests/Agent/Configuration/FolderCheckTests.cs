using Telemetry.Agent.Configuration;

namespace Telemetry.Tests.Agent.Configuration;

public sealed class FolderCheckTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("telemetry-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Folder_that_takes_files_is_good_and_left_empty()
    {
        Assert.Null(FolderCheck.Problem("outbox.file", Path.Combine(_folder, "outbox.db")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
    }

    [Fact]
    public void File_that_is_there_is_good_and_left_as_it_was()
    {
        var file = Path.Combine(_folder, "outbox.db");
        File.WriteAllBytes(file, [1, 2, 3]);

        Assert.Null(FolderCheck.Problem("outbox.file", file));
        Assert.Equal([1, 2, 3], File.ReadAllBytes(file));
    }

    [Fact]
    public void Folder_that_is_not_there_is_named_with_the_key()
    {
        var missing = Path.Combine(_folder, "missing");

        var problem = FolderCheck.Problem("outbox.file", Path.Combine(missing, "outbox.db"));

        Assert.Equal($"outbox.file: the folder '{missing}' does not exist", problem);
    }

    [Fact]
    public void Folder_in_place_of_the_file_is_named_with_the_key() =>
        Assert.Equal($"outbox.file: '{_folder}' is a folder", FolderCheck.Problem("outbox.file", _folder));

    /// <summary>The kernel's own folder takes no files, not even root's.</summary>
    [Fact]
    public void Folder_that_takes_no_files_is_named_with_the_key()
    {
        if (Directory.Exists("/proc/self"))
        {
            Assert.StartsWith(
                "outbox.file: cannot write in '/proc'", FolderCheck.Problem("outbox.file", "/proc/outbox.db"),
                StringComparison.Ordinal);
        }
    }
}
