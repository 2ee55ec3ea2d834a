// SPDX-License-Identifier: GPL-2.0
/*
 * How the non-volatile memory is read and written.
 *
 * It is an SPI EEPROM.  EERD reads words of it; to write, software takes it
 * with EECD.REQ and moves its lines itself.  Section numbers are those of the
 * 82576 datasheet.
 */
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/iopoll.h>
#include <linux/unaligned.h>

#include "igb_hw.h"

#define IGB_NVM_CHECKSUM_AT	(2 * (IGB_NVM_CHECKSUM_WORDS - 1))
#define IGB_NVM_MAX_PAGE	32

/* Commands of an SPI EEPROM. */
#define IGB_SPI_WRITE		0x02
#define IGB_SPI_A8		BIT(3)	/* ninth bit of a short address */
#define IGB_SPI_RDSR		0x05
#define IGB_SPI_WREN		0x06

/* What RDSR reads. */
#define IGB_SPI_BUSY		BIT(0)
#define IGB_SPI_WEL		BIT(1)

/**
 * igb_hw_size_nvm() - find out what NVM there is
 * @hw: the port, just reset
 *
 * Context: probe only.
 */
void igb_hw_size_nvm(struct igb_hw *hw)
{
	u32 eecd = igb_rd(hw, IGB_EECD);
	struct igb_nvm *nvm = &hw->nvm;

	if (!(eecd & IGB_EECD_PRES))
		return;
	/* EERD reaches 16 Ki words. */
	nvm->size = 128 << min_t(u32, FIELD_GET(IGB_EECD_SIZE, eecd), 8);
	nvm->addr_bits = eecd & IGB_EECD_ADDR_SIZE ? 16 : 8;
	nvm->page = eecd & IGB_EECD_ADDR_SIZE ? IGB_NVM_MAX_PAGE : 8;
}

/* One word through EERD. */
static int igb_read_word(struct igb_hw *hw, u32 word, u16 *data)
{
	u32 eerd;
	int err;

	igb_wr(hw, IGB_EERD, FIELD_PREP(IGB_EERD_ADDR, word) | IGB_EERD_START);
	err = read_poll_timeout(igb_rd, eerd, eerd & IGB_EERD_DONE,
				50, 10000, false, hw, IGB_EERD);
	if (!igb_hw_present(hw))
		return -ENODEV;
	if (err) {
		dev_warn(hw->dev, "NVM does not answer, EERD.DONE did not set for word %#x\n",
			 word);
		return err;
	}
	*data = FIELD_GET(IGB_EERD_DATA, eerd);
	return 0;
}

static int igb_read_bytes(struct igb_hw *hw, u32 offset, u32 len, u8 *data)
{
	u16 word = 0;
	int err = 0;
	u32 i;

	for (i = 0; !err && i < len; i++, offset++) {
		if (!i || !(offset % 2))
			err = igb_read_word(hw, offset / 2, &word);
		data[i] = word >> 8 * (offset % 2);
	}
	return err;
}

/* The same, with what is shared with firmware and the other port. */
static int igb_read_shared(struct igb_hw *hw, u32 offset, u32 len, u8 *data)
{
	int err;

	err = igb_hw_acquire(hw, IGB_SW_FW_SYNC_EEP);
	if (err)
		return err;
	err = igb_read_bytes(hw, offset, len, data);
	igb_hw_release(hw, IGB_SW_FW_SYNC_EEP);
	return err;
}

/**
 * igb_hw_read_nvm() - read bytes of the NVM through EERD (3.3)
 * @hw: the port
 * @offset: first byte; a word's low byte comes first
 * @len: how many, within hw->nvm.size
 * @data: where they go
 *
 * Context: process context, sleeps; takes the NVM's lock and semaphore.
 * Return: 0, -ETIMEDOUT or -EBUSY when EERD or the semaphore fails, -ENODEV
 * when the device is gone.
 */
int igb_hw_read_nvm(struct igb_hw *hw, u32 offset, u32 len, u8 *data)
{
	int err;

	mutex_lock(&hw->nvm.lock);
	err = igb_read_shared(hw, offset, len, data);
	mutex_unlock(&hw->nvm.lock);
	return err;
}

static u16 igb_sum_words(const u8 *data, unsigned int words)
{
	u16 sum = 0;

	for (; words--; data += 2)
		sum += get_unaligned_le16(data);
	return sum;
}

/**
 * igb_hw_check_nvm() - verify the NVM's checksum (chapter 6)
 * @hw: the port
 *
 * Context: process context, sleeps; takes the NVM's lock and semaphore.
 * Return: 0, -ENXIO without an NVM, -EBADMSG when the sum is wrong, or as
 * igb_hw_read_nvm(); each but -ENODEV is logged.
 */
int igb_hw_check_nvm(struct igb_hw *hw)
{
	u8 data[2 * IGB_NVM_CHECKSUM_WORDS];
	u16 sum;
	int err;

	if (!(igb_rd(hw, IGB_EECD) & IGB_EECD_PRES)) {
		dev_warn(hw->dev, "no NVM, EECD.PRES is clear\n");
		return -ENXIO;
	}

	err = igb_hw_read_nvm(hw, 0, sizeof(data), data);
	if (err)
		return err;
	sum = igb_sum_words(data, IGB_NVM_CHECKSUM_WORDS);
	if (sum == IGB_NVM_CHECKSUM)
		return 0;

	dev_warn(hw->dev, "NVM checksum is %#06x, should be %#06x\n",
		 sum, IGB_NVM_CHECKSUM);
	return -EBADMSG;
}

/* ---- The EEPROM's lines ------------------------------------------------ */

/* Half a clock is long enough for any such EEPROM. */
static void igb_spi_set(struct igb_hw *hw, u32 clear, u32 set)
{
	igb_rmw(hw, IGB_EECD, clear, set);
	/* The write has to be there before the time counts. */
	igb_rd(hw, IGB_EECD);
	udelay(1);
}

/* Highest bit first; the EEPROM takes it when SK rises. */
static void igb_spi_out(struct igb_hw *hw, u32 data, unsigned int bits)
{
	while (bits--) {
		igb_spi_set(hw, IGB_EECD_DI,
			    data & BIT(bits) ? IGB_EECD_DI : 0);
		igb_spi_set(hw, 0, IGB_EECD_SK);
		igb_spi_set(hw, IGB_EECD_SK, 0);
	}
}

static u8 igb_spi_in(struct igb_hw *hw)
{
	unsigned int i;
	u8 data = 0;

	for (i = 0; i < BITS_PER_BYTE; i++) {
		igb_spi_set(hw, 0, IGB_EECD_SK);
		data = data << 1 | FIELD_GET(IGB_EECD_DO, igb_rd(hw, IGB_EECD));
		igb_spi_set(hw, IGB_EECD_SK, 0);
	}
	return data;
}

/* CS selects the EEPROM while it is low. */
static void igb_spi_begin(struct igb_hw *hw, u8 command)
{
	igb_spi_set(hw, IGB_EECD_CS, 0);
	igb_spi_out(hw, command, BITS_PER_BYTE);
}

static void igb_spi_end(struct igb_hw *hw)
{
	igb_spi_set(hw, 0, IGB_EECD_CS);
}

static u8 igb_spi_status(struct igb_hw *hw)
{
	u8 status;

	igb_spi_begin(hw, IGB_SPI_RDSR);
	status = igb_spi_in(hw);
	igb_spi_end(hw);
	return status;
}

/* Writing a page takes 10 ms at most. */
static int igb_spi_wait(struct igb_hw *hw)
{
	u8 status;
	int err;

	err = read_poll_timeout(igb_spi_status, status,
				!(status & IGB_SPI_BUSY),
				200, 40000, false, hw);
	if (!igb_hw_present(hw))
		return -ENODEV;
	if (err)
		dev_err(hw->dev, "NVM is not ready after 40 ms, its status reads %#04x\n",
			status);
	return err;
}

static int igb_spi_enable_write(struct igb_hw *hw)
{
	u8 status;
	int err;

	err = igb_spi_wait(hw);
	if (err)
		return err;
	igb_spi_begin(hw, IGB_SPI_WREN);
	igb_spi_end(hw);
	status = igb_spi_status(hw);
	if (status & IGB_SPI_WEL)
		return 0;
	dev_err(hw->dev, "NVM is write protected, its status reads %#04x\n",
		status);
	return -EROFS;
}

/* All bytes are of one page; it is written once the command ends. */
static int igb_spi_write_page(struct igb_hw *hw, u32 offset, u32 len,
			      const u8 *data)
{
	u8 command = IGB_SPI_WRITE;
	int err;

	err = igb_spi_enable_write(hw);
	if (err)
		return err;

	if (hw->nvm.addr_bits == 8 && offset > U8_MAX)
		command |= IGB_SPI_A8;
	igb_spi_begin(hw, command);
	igb_spi_out(hw, offset, hw->nvm.addr_bits);
	while (len--)
		igb_spi_out(hw, *data++, BITS_PER_BYTE);
	igb_spi_end(hw);
	return igb_spi_wait(hw);
}

/* ---- Writing ----------------------------------------------------------- */

/* 3.3: ask the chip for the EEPROM's lines. */
static int igb_spi_acquire(struct igb_hw *hw)
{
	u32 eecd;
	int err;

	igb_rmw(hw, IGB_EECD, 0, IGB_EECD_REQ);
	err = read_poll_timeout(igb_rd, eecd, eecd & IGB_EECD_GNT,
				50, 20000, false, hw, IGB_EECD);
	if (!igb_hw_present(hw))
		return -ENODEV;
	if (err) {
		igb_rmw(hw, IGB_EECD, IGB_EECD_REQ, 0);
		dev_err(hw->dev, "NVM cannot be written, EECD.GNT did not set in 20 ms\n");
		return err;
	}
	igb_spi_set(hw, IGB_EECD_SK, IGB_EECD_CS);
	return 0;
}

static void igb_spi_release(struct igb_hw *hw)
{
	igb_rmw(hw, IGB_EECD, IGB_EECD_REQ, 0);
}

static int igb_compare_page(struct igb_hw *hw, u32 offset, u32 len,
			    const u8 *data)
{
	u8 got[IGB_NVM_MAX_PAGE];
	int err;

	err = igb_read_bytes(hw, offset, len, got);
	if (err || !memcmp(got, data, len))
		return err;
	dev_err(hw->dev, "NVM reads %*ph from offset %#x, %*ph was written\n",
		len, got, offset, len, data);
	return -EIO;
}

/* EERD does not work while the lines are software's. */
static int igb_write_page(struct igb_hw *hw, u32 offset, u32 len,
			  const u8 *data)
{
	int err;

	err = igb_hw_acquire(hw, IGB_SW_FW_SYNC_EEP);
	if (err)
		return err;
	err = igb_spi_acquire(hw);
	if (!err) {
		err = igb_spi_write_page(hw, offset, len, data);
		igb_spi_release(hw);
	}
	if (!err)
		err = igb_compare_page(hw, offset, len, data);
	igb_hw_release(hw, IGB_SW_FW_SYNC_EEP);
	return err;
}

/* Between two pages firmware and the other port get a chance. */
static int igb_write_bytes(struct igb_hw *hw, u32 offset, u32 len,
			   const u8 *data)
{
	u32 page = hw->nvm.page;
	u32 done, some;
	int err = 0;

	for (done = 0; !err && done < len; done += some) {
		some = min(len - done, page - (offset + done) % page);
		err = igb_write_page(hw, offset + done, some, data + done);
		if (err)
			dev_err(hw->dev, "NVM: %u bytes from offset %#x were to be written, %u are\n",
				len, offset, done);
	}
	return err;
}

static int igb_update_checksum(struct igb_hw *hw)
{
	u8 data[IGB_NVM_CHECKSUM_AT];
	u8 checksum[2];
	int err;

	err = igb_read_shared(hw, 0, sizeof(data), data);
	if (err)
		return err;
	put_unaligned_le16(IGB_NVM_CHECKSUM -
			   igb_sum_words(data, IGB_NVM_CHECKSUM_WORDS - 1),
			   checksum);
	return igb_write_bytes(hw, IGB_NVM_CHECKSUM_AT, sizeof(checksum),
			       checksum);
}

/**
 * igb_hw_write_nvm() - write bytes of the NVM and see that they are there
 * @hw: the port
 * @offset: first byte; a word's low byte comes first
 * @len: how many, within hw->nvm.size
 * @data: the bytes
 *
 * The checksum is written last, so it tells of a write that was torn.  What is
 * written to the checksum itself is replaced by what it has to be.
 *
 * Context: process context, sleeps; takes the NVM's lock, and its semaphore for
 * a page at a time.
 * Return: 0, -ETIMEDOUT when the lines are not granted or the EEPROM does not
 * become ready, -EROFS when it is write protected, -EIO when it does not read
 * what was written, or as igb_hw_read_nvm(); each is logged, -ENODEV only as
 * far as a write is torn.
 */
int igb_hw_write_nvm(struct igb_hw *hw, u32 offset, u32 len, const u8 *data)
{
	int err;

	mutex_lock(&hw->nvm.lock);
	err = igb_write_bytes(hw, offset, len, data);
	if (!err && offset < IGB_NVM_CHECKSUM_AT + 2)
		err = igb_update_checksum(hw);
	mutex_unlock(&hw->nvm.lock);
	return err;
}
