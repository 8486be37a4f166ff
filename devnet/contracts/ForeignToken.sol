// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// An ERC-20 as it is found in the wild: any number of decimals, and one of three manners. Its deployer mints.
contract ForeignToken {
    enum Manner {
        /// As the standard says.
        Plain,
        /// Returns nothing, and an allowance has to be taken back before it is changed: as Tether's.
        Silent,
        /// `name` and `symbol` are bytes32: as Maker's.
        OldStyle
    }

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    error NotOwner(address caller);
    error AllowanceInUse();

    address private immutable owner = msg.sender;
    Manner private immutable manner;
    bytes32 private immutable shortName;
    uint8 public immutable decimals;
    uint256 public totalSupply;
    mapping(address account => uint256 units) public balanceOf;
    mapping(address account => mapping(address spender => uint256 units)) public allowance;

    /// @param name_ at most 31 bytes; the symbol is the same
    constructor(string memory name_, uint8 decimals_, Manner manner_) {
        (shortName, decimals, manner) = (bytes32(bytes(name_)), decimals_, manner_);
    }

    function name() external view returns (string memory) {
        return text();
    }

    function symbol() external view returns (string memory) {
        return text();
    }

    function mint(address to, uint256 value) external {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function approve(address spender, uint256 value) external returns (bool) {
        if (manner == Manner.Silent && value != 0 && allowance[msg.sender][spender] != 0) revert AllowanceInUse();
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return answer();
    }

    function transfer(address to, uint256 value) external returns (bool) {
        move(msg.sender, to, value);
        return answer();
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - value;
        move(from, to, value);
        return answer();
    }

    function move(address from, address to, uint256 value) private {
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }

    /// Ends the call: without any data where the manner is such.
    function answer() private view returns (bool) {
        if (manner == Manner.Silent) {
            assembly ("memory-safe") {
                return(0, 0)
            }
        }
        return true;
    }

    function text() private view returns (string memory) {
        bytes32 word = shortName;
        if (manner == Manner.OldStyle) {
            assembly ("memory-safe") {
                mstore(0, word)
                return(0, 32)
            }
        }
        uint256 length;
        while (length < 32 && word[length] != 0) length++;
        bytes memory letters = new bytes(length);
        for (uint256 i = 0; i < length; i++) {
            letters[i] = word[i];
        }
        return string(letters);
    }
}
